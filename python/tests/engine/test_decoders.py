"""The decoders `fast` and `exact`: what they have in common, and how much they may differ."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from sightline.bundle.image_settings import Preprocessing, Resize, Size
from sightline.engine.decode import decode_picture
from sightline.engine.feeds.image_feed import ImageFeed
from sightline.engine.feeds.preprocess import least_size
from sightline.engine.picture import Picture
from sightline.engine.settings import DECODERS, DEFAULT_MAX_IMAGE_PIXELS, Decoder, EngineSettings
from sightline.errors import WrongUseError
from sightline.row_error import RowError

CROP = Preprocessing(
    "RGB", Resize("shortest_edge", 32, 32, "bicubic"), Size(28, 28), (0,) * 3, (1,) * 3
)
STRETCH = Preprocessing("RGB", Resize("stretch", 24, 40, "bilinear"), None, (0,) * 3, (1,) * 3)
PADDED = Preprocessing(
    "RGB", Resize("shortest_edge", 32, 32, "lanczos"), Size(20, 70), (0,) * 3, (1,) * 3
)
LITE0 = Preprocessing(
    "RGB", Resize("shortest_edge", 256, 256, "bicubic"), Size(224, 224), (0,) * 3, (1,) * 3
)
PHOTOGRAPHS = [
    "Bridge_by_Sander_Klootwijk.jpg",  # progressive, 4352 x 2448
    "Kleiber_by_Lukas_Baubkus.jpg",  # baseline, 6028 x 3391
    "life_by_Aitzol_Berasategi.jpg",  # fine detail, 3088 x 2056
]


def outcome(
    content: bytes,
    decoder: Decoder,
    preprocessing: Preprocessing = CROP,
    max_image_pixels: int = DEFAULT_MAX_IMAGE_PIXELS,
) -> np.ndarray | RowError:
    """(height, width, 3) int, as the model receives it, or the error."""
    size = preprocessing.size
    out = np.full((size.height, size.width, 3), 77, np.uint8)
    settings = EngineSettings(decoder=decoder, max_image_pixels=max_image_pixels)
    error = ImageFeed(preprocessing, settings).write(memoryview(content), out)
    return out.astype(int) if error is None else error


def pixels_of(content: bytes, decoder: Decoder, preprocessing: Preprocessing = CROP) -> np.ndarray:
    """(height, width, 3) int, as the model receives it."""
    found = outcome(content, decoder, preprocessing)
    assert not isinstance(found, RowError), found
    return found


def picture(width: int, height: int) -> Image.Image:
    """Smooth colours with some detail, different in each corner."""
    y, x = np.mgrid[0:height, 0:width] / [[[height]], [[width]]]
    waves = np.sin(40 * x * y) * 40
    pixels = np.stack([200 * x + 20, 200 * y + 20, 128 + waves], axis=-1)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def saved(image: Image.Image, format_: str = "JPEG", **options: Any) -> bytes:  # noqa: ANN401
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def difference(content: bytes, preprocessing: Preprocessing) -> np.ndarray:
    found = pixels_of(content, "fast", preprocessing) - pixels_of(content, "exact", preprocessing)
    return np.asarray(np.abs(found))


def scale_of(content: bytes, preprocessing: Preprocessing = CROP) -> int:
    found = decode_picture(
        content, EngineSettings(), lambda size: least_size(preprocessing.resize, size)
    )
    assert isinstance(found, Picture), found
    return found.scale


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_photograph_decoded_fast_differs_little_from_the_exact_pixels(
    name: str, shared: Path
) -> None:
    content = (shared / "camera" / name).read_bytes()
    assert scale_of(content, LITE0) == 2
    found = difference(content, LITE0)
    assert 0 < found.mean() < 0.3
    assert np.quantile(found, 0.999) <= 3
    assert found.max() <= 6


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_exact_gives_the_pixels_of_torchvision_for_a_photograph(name: str, shared: Path) -> None:
    transforms = pytest.importorskip("torchvision.transforms")
    content = (shared / "camera" / name).read_bytes()
    steps = [transforms.Resize(256, transforms.InterpolationMode.BICUBIC)]
    with Image.open(io.BytesIO(content)) as image:
        expected = transforms.Compose([*steps, transforms.CenterCrop(224)])(image)
    assert np.array_equal(pixels_of(content, "exact", LITE0), np.asarray(expected))


@pytest.mark.parametrize("size", [(63, 300), (300, 63), (90, 60), (32, 32), (20, 50)])
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
def test_an_image_below_twice_the_models_size_has_the_same_pixels_with_both(
    size: tuple[int, int], format_: str
) -> None:
    content = saved(picture(*size), format_)
    assert scale_of(content) == 1
    assert not difference(content, CROP).any()


@pytest.mark.parametrize("size", [(64, 65), (255, 300), (300, 255)])
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("preprocessing", [CROP, PADDED])
def test_an_image_below_eight_times_the_models_size_is_not_averaged(
    size: tuple[int, int], format_: str, preprocessing: Preprocessing
) -> None:
    content = saved(picture(*size), format_)
    assert scale_of(content, preprocessing) == 1
    # Pillow rounds the box to 32 bits. Many values of this smooth picture lie between two.
    assert difference(content, preprocessing).max() <= 1


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_photograph_of_2_megapixels_differs_in_one_value_of_a_thousand_at_most(
    name: str, shared: Path
) -> None:
    with Image.open(shared / "camera" / name) as image:
        image.thumbnail((1900, 1900))
        content = saved(image, quality=95)
    assert scale_of(content, LITE0) == 1
    found = difference(content, LITE0)
    assert found.max() <= 1
    assert np.count_nonzero(found) <= found.size / 1000


def test_the_scale_leaves_four_pixels_for_one_of_the_result() -> None:
    sides = {255: 1, 256: 2, 511: 2, 512: 4, 1023: 4, 1024: 8, 3000: 8}
    assert {side: scale_of(saved(picture(side, side + 5))) for side in sides} == sides
    # A stretch shrinks both sides by different factors; the smaller one counts.
    wide = {(320, 1000): 2, (319, 1000): 1, (1000, 191): 1, (640, 384): 4}
    assert {size: scale_of(saved(picture(*size)), STRETCH) for size in wide} == wide
    turned = {size[::-1]: scale for size, scale in wide.items()}
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    found = {size: scale_of(saved(picture(*size), exif=exif), STRETCH) for size in turned}
    assert found == turned


@pytest.mark.parametrize("preprocessing", [CROP, STRETCH, PADDED])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 4}])
def test_a_large_jpeg_of_each_orientation_is_upright(
    orientation: int, preprocessing: Preprocessing, options: dict[str, Any]
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    # Not a multiple of any scale, so that the last row and column are only partly the picture.
    content = saved(picture(501, 387), exif=exif, quality=95, **options)
    assert scale_of(content, preprocessing) == 2
    assert difference(content, preprocessing).max() <= 4


@pytest.mark.parametrize("orientation", [0, 9, 255, 65535])
def test_an_orientation_that_does_not_exist_counts_as_none(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    content = saved(picture(501, 387), exif=exif)
    plain = saved(picture(501, 387))
    for decoder in DECODERS:
        assert np.array_equal(
            pixels_of(content, decoder, STRETCH), pixels_of(plain, decoder, STRETCH)
        )


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_jpegs_are_scaled_too(mode: str) -> None:
    content = saved(picture(900, 700).convert(mode), quality=95)
    assert scale_of(content) == 4
    assert difference(content, CROP).max() <= 6


def test_an_mpo_is_scaled_and_its_first_picture_counts() -> None:
    first, second = picture(900, 700), Image.new("RGB", (900, 700), "blue")
    content = saved(first, "MPO", save_all=True, append_images=[second], quality=95)
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == "MPO"
    assert scale_of(content) == 4
    alone = saved(first, quality=95)
    assert np.array_equal(pixels_of(content, "fast"), pixels_of(alone, "fast"))
    assert np.array_equal(pixels_of(content, "exact"), pixels_of(alone, "exact"))


@pytest.mark.parametrize("format_", ["PNG", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_image_of_another_format_is_reduced_before_the_resize(
    format_: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    options: dict[str, Any] = {} if format_ == "BMP" else {"exif": exif}
    content = saved(picture(1001, 773), format_, **options)
    assert scale_of(content) == 1
    found = difference(content, CROP)
    assert found.mean() > 0
    assert found.max() <= 4


@pytest.mark.parametrize("size", [(900, 700), (531, 298), (400, 300)])
@pytest.mark.parametrize("filter_", [Image.Resampling.BICUBIC, Image.Resampling.BILINEAR])
def test_resizing_a_box_gives_the_pixels_of_resizing_the_whole_image(
    size: tuple[int, int], filter_: Image.Resampling
) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (*size[::-1], 3), np.uint8)
    image, resized = Image.fromarray(noise), (91, 64)
    x, y = size[0] / resized[0], size[1] / resized[1]
    whole = np.asarray(image.resize(resized, filter_)).astype(int)
    for left, top, right, bottom in [(0, 0, 91, 64), (17, 4, 73, 60), (0, 5, 70, 64)]:
        box = (left * x, top * y, right * x, bottom * y)
        part = Picture(image, 1, size).resize_box((right - left, bottom - top), filter_, box, 99)
        found = np.abs(np.asarray(part) - whole[top:bottom, left:right])
        # Pillow rounds the box to 32 bits, so a value that lies between two may become the other.
        assert found.max() <= 1
        assert found.mean() < 1e-3


def test_the_pixels_of_nearest_are_never_averaged() -> None:
    nearest = Preprocessing("RGB", Resize("stretch", 8, 8, "nearest"), None, (0,) * 3, (1,) * 3)
    content = saved(picture(900, 700))
    assert scale_of(content, nearest) == 1
    assert not difference(content, nearest).any()


@pytest.mark.parametrize("decoder", ["fast", "exact"])
def test_the_limit_on_pixels_refers_to_the_full_size(decoder: Decoder) -> None:
    content = saved(picture(900, 700))
    found = outcome(content, decoder, max_image_pixels=629_999)
    assert isinstance(found, RowError)
    assert found.code == "TOO_LARGE"
    assert not isinstance(outcome(content, decoder, max_image_pixels=630_000), RowError)


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_damaged_large_jpeg_has_the_same_error_with_both(options: dict[str, Any]) -> None:
    content = saved(picture(900, 700), **options)
    last_scan = content.rindex(b"\xff\xda")
    damaged = [content[: len(content) // 2], content[:20], content[:-200]]
    if options:
        damaged.append(content[:last_scan] + b"\xff\xd9")
    for one in damaged:
        fast, exact = outcome(one, "fast"), outcome(one, "exact")
        assert isinstance(fast, RowError)
        assert fast == exact


def reserved(content: bytes) -> int:
    """The bytes that decoding at the model's size asks for."""
    asked: list[int] = []
    found = decode_picture(
        content, EngineSettings(), lambda size: least_size(CROP.resize, size), asked.append
    )
    assert isinstance(found, Picture), found
    (size,) = asked
    return size


def test_memory_is_reserved_for_what_the_scaled_decode_needs() -> None:
    image = picture(1600, 1200)
    assert reserved(saved(image)) == 10 * 200 * 150
    # libjpeg keeps the coefficients of a progressive JPEG at full size.
    assert reserved(saved(image, progressive=True)) == 10 * 200 * 150 + 8 * 1600 * 1200
    assert reserved(saved(image, "PNG")) == 10 * 1600 * 1200


def test_hostile_files_have_the_same_results_with_both(shared: Path) -> None:
    files = sorted((shared / "hostile/files").iterdir())
    contents = [path.read_bytes() for path in files if path.is_file()]
    assert len(contents) > 40
    for content in contents:
        fast, exact = outcome(content, "fast"), outcome(content, "exact")
        if isinstance(exact, RowError):
            assert fast == exact
        else:
            assert not isinstance(fast, RowError)
            # The largest is a picture of black and white dots.
            assert np.abs(fast - exact).mean() < 5


def test_the_error_for_an_unknown_decoder_lists_the_known_ones() -> None:
    with pytest.raises(WrongUseError, match=r"UNKNOWN_DECODER: .turbo.\. Known: fast, exact"):
        EngineSettings(decoder="turbo")  # type: ignore[arg-type]
