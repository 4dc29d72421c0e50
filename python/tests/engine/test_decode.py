import csv
import io
import os
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from sightline.engine.decode import decode
from sightline.engine.quiet_decoders import quiet_decoders
from sightline.engine.settings import EngineSettings
from sightline.row_error import RowError

SPEC = EngineSettings()
STORED_AS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
RED, BLUE = (255, 0, 0), (0, 0, 255)


def error_of(content: bytes, spec: EngineSettings = SPEC) -> str:
    found = decode(content, spec)
    assert isinstance(found, RowError), "an image was made of it"
    assert found.stage == "decode"
    return found.code


def pixels_of(content: bytes) -> np.ndarray:
    found = decode(content, SPEC)
    assert not isinstance(found, RowError), found
    assert found.mode == "RGB"
    return np.asarray(found)


def saved(image: Image.Image, format_: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def noise(width: int = 64, height: int = 48) -> Image.Image:
    values = np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(values)


def test_zero_bytes_are_empty() -> None:
    assert error_of(b"") == "EMPTY"


def test_text_is_unsupported() -> None:
    assert error_of(b"path,label\na.jpg,cat\n") == "UNSUPPORTED"


def test_more_bytes_than_the_cap_are_too_large() -> None:
    content = saved(noise(), "PNG")
    assert error_of(content, EngineSettings(max_image_bytes=len(content) - 1)) == "TOO_LARGE"


def test_more_pixels_than_the_cap_are_too_large_before_any_is_decoded() -> None:
    header_only = saved(Image.new("RGB", (100, 101)), "PNG")[:60]
    assert error_of(header_only, EngineSettings(max_image_pixels=10_000)) == "TOO_LARGE"


def test_transparent_pixels_are_blended_with_white() -> None:
    image = Image.new("RGBA", (2, 1), (*RED, 255))
    image.putpixel((1, 0), (0, 0, 0, 0))
    assert pixels_of(saved(image, "PNG")).tolist() == [[[255, 0, 0], [255, 255, 255]]]


def test_a_transparent_palette_colour_becomes_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *BLUE])
    image.putpixel((1, 0), 1)
    content = saved(image, "PNG", transparency=1)
    assert pixels_of(content).tolist() == [[[255, 0, 0], [255, 255, 255]]]


@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
def test_16_bit_grey_keeps_its_high_byte(format_: str) -> None:
    image = Image.fromarray(np.array([[0x0000, 0x12FF, 0x8000, 0xFFFF]], np.uint16))
    assert pixels_of(saved(image, format_))[0, :, 0].tolist() == [0, 0x12, 0x80, 0xFF]


def test_float_samples_are_unsupported_rather_than_guessed() -> None:
    image = Image.fromarray(np.array([[0.5, 70_000.0]], np.float32))
    assert error_of(saved(image, "TIFF")) == "UNSUPPORTED"


def test_cmyk_is_converted_with_adobes_inversion() -> None:
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    red, green, blue = pixels_of(saved(cyan, "JPEG", quality=95))[8, 8].tolist()
    assert red < 10
    assert min(green, blue) > 245


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int, format_: str) -> None:
    upright = Image.new("RGB", (32, 16), RED)
    upright.paste(BLUE, (0, 0, 16, 8))  # the top left quarter is blue
    stored = upright if orientation == 1 else upright.transpose(STORED_AS[orientation])
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    found = pixels_of(saved(stored, format_, exif=exif))
    assert found.shape == (16, 32, 3)
    assert found[2, 2, 2] > 200
    assert found[12, 28, 0] > 200


def test_the_first_frame_of_an_animation_is_taken() -> None:
    frames = [Image.new("RGB", (4, 4), RED), Image.new("RGB", (4, 4), BLUE)]
    for format_ in ("GIF", "WEBP", "PNG"):
        options: dict[str, object] = {"lossless": True} if format_ == "WEBP" else {}
        content = saved(frames[0], format_, save_all=True, append_images=frames[1:], **options)
        assert pixels_of(content)[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_partial_file_is_never_an_image(format_: str, share: float) -> None:
    content = saved(noise(), format_)
    assert error_of(content[: int(len(content) * share)]) in ("TRUNCATED", "CORRUPT")


@pytest.mark.parametrize("format_", ["JPEG", "GIF", "PNG", "WEBP"])
def test_a_file_cut_in_its_pixels_is_truncated(format_: str) -> None:
    content = saved(noise(), format_)
    assert error_of(content[: len(content) * 2 // 3]) == "TRUNCATED"


def test_a_progressive_jpeg_closed_after_any_but_its_last_scan_is_truncated() -> None:
    content = saved(noise(), "JPEG", progressive=True)
    scans = [at for at in range(len(content)) if content[at : at + 2] == b"\xff\xda"]
    assert len(scans) > 3
    for start in scans[1:]:
        assert error_of(content[:start] + b"\xff\xd9") == "TRUNCATED"
    assert pixels_of(content).shape == (48, 64, 3)


def test_a_known_signature_with_a_broken_header_is_corrupt() -> None:
    assert error_of(b"\x89PNG\r\n\x1a\nnot a chunk") == "CORRUPT"


@pytest.mark.parametrize(
    ("format_", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {}),
        ("BMP", {}),
        ("GIF", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "jpeg"}),
    ],
)
def test_a_damaged_file_gives_an_image_or_a_typed_error_and_no_output_on_stderr(
    format_: str, options: dict[str, object], capfd: pytest.CaptureFixture[str]
) -> None:
    quiet_decoders()
    chance = random.Random(1)  # noqa: S311 - the same damage every time
    content = saved(noise(20, 20), format_, **options)
    for flips in (0, 1, 3, 30) * 30:
        damaged = bytearray(content)
        for _ in range(flips):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        if flips != 1:
            del damaged[chance.randrange(len(damaged)) :]
        found = decode(bytes(damaged), SPEC)
        assert isinstance(found, Image.Image | RowError)
    assert capfd.readouterr().err == ""


def test_messages_are_one_short_printable_line() -> None:
    error = RowError("CORRUPT", "decode", "two\nlines\t\x00 and " + "x" * 1000)
    assert error.message.startswith("two lines ? and x")
    assert len(error.message) == 300


def hostile_files() -> list[tuple[str, str]]:
    repository = Path(__file__).parents[3]
    shared = Path(os.environ.get("SIGHTLINE_SHARED", repository.parent / "shared"))
    manifest = shared / "data" / "hostile" / "manifest.csv"
    if not manifest.exists():
        return [("", "")]
    with manifest.open() as lines:
        return [(row["file"], row["expected"]) for row in csv.DictReader(lines)]


ALLOWED = {
    "decode": {"image"},
    "decode-to-rgb": {"image"},
    "decode-first-frame": {"image"},
    "orient": {"image"},
    "decode-or-typed-error": {"image", "TRUNCATED", "CORRUPT", "UNSUPPORTED"},
    "reject": {"CORRUPT", "UNSUPPORTED", "TOO_LARGE", "TRUNCATED"},
    "reject-or-flag-partial": {"TRUNCATED"},
    "reject-limit": {"TOO_LARGE", "UNSUPPORTED"},
}


@pytest.mark.parametrize(("file", "expected"), hostile_files())
def test_a_hostile_file_has_the_result_in_its_manifest(
    file: str, expected: str, shared: Path
) -> None:
    found = decode((shared / "hostile" / "files" / file).read_bytes(), SPEC)
    assert (found.code if isinstance(found, RowError) else "image") in ALLOWED[expected]


def test_the_orientation_series_shows_one_picture(shared: Path) -> None:
    files = shared / "hostile" / "files"
    reference = pixels_of((files / "exif__Landscape_1.jpg").read_bytes()).astype(int)
    for orientation in (3, 6, 8):
        turned = pixels_of((files / f"exif__Landscape_{orientation}.jpg").read_bytes())
        assert turned.shape == reference.shape
        assert np.abs(turned.astype(int) - reference).mean() < 5


def test_a_16_bit_tiff_is_scaled_and_not_clipped_to_white(shared: Path) -> None:
    found = pixels_of((shared / "hostile" / "files" / "pil__16bit.cropped.tif").read_bytes())
    assert found.max() < 16
