import io
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import ExifTags, Image

from sightline.bundle.image_settings import Size
from sightline.engine.decode import decode
from sightline.engine.settings import Decoder, EngineSettings
from sightline.errors import WrongUseError
from sightline.row_error import RowError

pytest.importorskip("simplejpeg")
PILLOW, TURBO, SCALED = (EngineSettings(decoder=name) for name in get_args(Decoder))


def jpeg(width: int, height: int, **options: object) -> bytes:
    slope = np.mgrid[0:height, 0:width].sum(axis=0) % 256
    pixels = np.stack([slope, 255 - slope, slope // 2], axis=-1).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def outcome(content: bytes, spec: EngineSettings) -> object:
    """A comparable result: pixels as bytes with their size, or the error."""
    found = decode(content, spec, Size(64, 64))
    return found if isinstance(found, RowError) else (found.size, found.tobytes())


@pytest.mark.parametrize(
    "options",
    [
        {"quality": 95},
        {"quality": 30, "subsampling": 2},
        {"progressive": True},
        {"restart_marker_blocks": 4},
    ],
)
def test_turbo_gives_the_pixels_of_pillow(options: dict[str, object]) -> None:
    content = jpeg(301, 203, **options)
    assert outcome(content, TURBO) == outcome(content, PILLOW)


@pytest.mark.parametrize("decoder", [TURBO, SCALED])
def test_grey_cmyk_and_other_formats_have_the_pixels_of_pillow(decoder: EngineSettings) -> None:
    image = Image.open(io.BytesIO(jpeg(40, 30)))
    for mode, format_ in [("L", "JPEG"), ("CMYK", "JPEG"), ("RGB", "PNG"), ("P", "GIF")]:
        buffer = io.BytesIO()
        image.convert(mode).save(buffer, format_)
        assert outcome(buffer.getvalue(), decoder) == outcome(buffer.getvalue(), PILLOW)


@pytest.mark.parametrize("decoder", [TURBO, SCALED])
@pytest.mark.parametrize("orientation", [3, 6])
def test_orientation_is_applied(decoder: EngineSettings, orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    content = jpeg(60, 40, exif=exif)
    assert outcome(content, decoder) == outcome(content, PILLOW)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((640, 480), (86, 64)), ((128, 512), (64, 256)), ((63, 63), (63, 63)), ((70, 70), (70, 70))],
)
def test_scaled_decodes_to_the_smallest_sufficient_size(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    # libjpeg scales by eighths: 640 x 480 by 1/8 would be 80 x 60.
    found = decode(jpeg(*size), SCALED, Size(64, 64))
    assert isinstance(found, Image.Image)
    width, height = found.size
    assert (min(width, 64), min(height, 64)) == (min(size[0], 64), min(size[1], 64))
    assert width <= 2 * expected[0]
    assert height <= 2 * expected[1]


@pytest.mark.parametrize("decoder", [TURBO, SCALED])
def test_damaged_files_have_the_errors_of_pillow(decoder: EngineSettings) -> None:
    content = jpeg(301, 203)
    for damaged in (content[:2000], content[:20], content[:-2], b"\xff\xd8\xff" + b"x" * 500):
        assert outcome(damaged, decoder) == outcome(damaged, PILLOW)


def test_turbo_gives_the_same_results_as_pillow_for_hostile_files(shared: Path) -> None:
    files = sorted((shared / "hostile/files").iterdir())
    contents = [path.read_bytes() for path in files if path.is_file()]
    assert len(contents) > 40
    assert [outcome(c, TURBO) for c in contents] == [outcome(c, PILLOW) for c in contents]


def test_the_error_for_an_unknown_decoder_lists_the_known_ones() -> None:
    with pytest.raises(WrongUseError, match=r"UNKNOWN_DECODER: .fast.\. Known: pillow, turbo"):
        EngineSettings(decoder="fast")  # type: ignore[arg-type]
