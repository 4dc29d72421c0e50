"""Images with an ICC profile are converted to sRGB, for every format and decoder."""

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import ExifTags, Image

from sightline.backends.cache import open_session
from sightline.backends.device import Device
from sightline.bundle.bundle import Bundle
from sightline.bundle.image_settings import Preprocessing, Resize
from sightline.engine.decode import decode, decode_picture
from sightline.engine.feeds.image_feed import ImageFeed
from sightline.engine.model import Model
from sightline.engine.picture import Picture
from sightline.engine.result_type import Vector
from sightline.engine.run import run
from sightline.engine.settings import EngineSettings

from .icc_profiles import black_ink_profile, grey_profile, in_space, rgb_profile

# Four patches of 32 x 32 pixels, in sRGB.
PATCHES = np.array([[[200, 60, 50], [70, 160, 90]], [[60, 80, 180], [210, 190, 120]]], np.uint8)
SIDE = 64
AS_IT_IS = Preprocessing("RGB", Resize("stretch", SIDE, SIDE, "bilinear"), None, (0,) * 3, (1,) * 3)


def patches(values: np.ndarray) -> Image.Image:
    return Image.fromarray(values.repeat(32, axis=0).repeat(32, axis=1))


def encoded(image: Image.Image, format_: str, profile: bytes | None, **options: object) -> bytes:
    buffer = io.BytesIO()
    exact: dict[str, dict[str, object]] = {
        "JPEG": {"quality": 100, "subsampling": 0},
        "WEBP": {"lossless": True},
    }
    image.save(buffer, format_, icc_profile=profile, **exact.get(format_, {}), **options)
    return buffer.getvalue()


def pixels_of(content: bytes) -> np.ndarray:
    """(64, 64, 3) uint8, as the model receives them."""
    out = np.empty((SIDE, SIDE, 3), np.uint8)
    assert ImageFeed(AS_IT_IS, EngineSettings()).write(memoryview(content), out) is None
    return out


def patches_of(content: bytes) -> np.ndarray:
    """(2, 2, 3) int: the middle of each patch."""
    return pixels_of(content)[16::32, 16::32].astype(int)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("space", ["Display P3", "Adobe RGB (1998)"])
def test_a_photograph_of_a_wide_space_has_the_colours_it_would_have_in_srgb(
    space: str, format_: str
) -> None:
    wide = in_space(space, PATCHES / 255)
    assert np.abs(wide.astype(int) - PATCHES).max() > 20  # the error of ignoring the profile
    content = encoded(patches(wide), format_, rgb_profile(space))
    assert patches_of(content) == pytest.approx(PATCHES.astype(int), abs=4)


@pytest.mark.parametrize("space", ["Display P3", "Adobe RGB (1998)"])
def test_palettes_and_transparent_images_have_their_profile_applied_too(space: str) -> None:
    wide = patches(in_space(space, PATCHES / 255))
    expected = pytest.approx(PATCHES.astype(int), abs=4)
    palette = wide.quantize(4)
    assert patches_of(encoded(palette, "PNG", rgb_profile(space))) == expected
    transparent = wide.convert("RGBA")
    transparent.paste((9, 9, 9, 0), (32, 0, 64, 32))
    found = patches_of(encoded(transparent, "PNG", rgb_profile(space)))
    assert found[0, 1].tolist() == [255, 255, 255]
    assert found[1] == pytest.approx(PATCHES[1].astype(int), abs=4)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_an_srgb_profile_of_another_maker_changes_no_pixel(format_: str) -> None:
    image = patches(PATCHES)
    profiled = encoded(image, format_, rgb_profile("sRGB"))
    assert np.array_equal(pixels_of(profiled), pixels_of(encoded(image, format_, None)))
    found = decode(profiled, EngineSettings())
    assert isinstance(found, Image.Image)
    assert found.info == {}  # the profile is removed


@pytest.mark.parametrize(
    "profile",
    [
        b"no profile at all",
        rgb_profile("Display P3")[:200],
        rgb_profile("Display P3")[:-3000],
        rgb_profile("Display P3").replace(b"rTRC", b"xTRC"),
        rgb_profile("Display P3").replace(b"acsp", b"none"),
        grey_profile(1.8),  # for grey samples
        black_ink_profile(),
        rgb_profile("Display P3") + bytes(2**22),
    ],
)
def test_a_profile_that_cannot_be_used_leaves_the_image_as_if_it_had_none(profile: bytes) -> None:
    image = patches(PATCHES)
    for format_ in ("JPEG", "PNG", "WEBP", "TIFF"):
        plain, profiled = (encoded(image, format_, one) for one in (None, profile))
        assert np.array_equal(pixels_of(profiled), pixels_of(plain))


def test_grey_samples_have_the_curve_of_their_profile_applied() -> None:
    greys = np.array([[0, 50, 128], [200, 255, 90]], np.uint8)
    image = Image.fromarray(greys.repeat(32, axis=0).repeat(32, axis=1))
    light = (greys / 255) ** 1.0
    expected = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055) * 255
    for one, options in ((image, {}), (image.convert("LA"), {}), (image, {"transparency": 7})):
        content = encoded(one, "PNG", grey_profile(1.0), **options)
        found = decode(content, EngineSettings())
        assert isinstance(found, Image.Image)
        middles = np.asarray(found)[16::32, 16::32]
        assert middles[..., 0].astype(int) == pytest.approx(expected, abs=2)
        assert (middles == middles[..., :1]).all()


def test_cmyk_is_converted_by_its_profile_or_else_by_pillows_formula() -> None:
    inks = np.array([[[255, 0, 0, 0], [0, 255, 0, 0]], [[0, 0, 0, 255], [0, 0, 0, 0]]], np.uint8)
    image = Image.fromarray(inks.repeat(32, axis=0).repeat(32, axis=1), "CMYK")
    by_formula = [[[0, 255, 255], [255, 0, 255]], [[0, 0, 0], [255, 255, 255]]]
    by_profile = [[[255] * 3, [255] * 3], [[0] * 3, [255] * 3]]
    for format_ in ("JPEG", "TIFF"):
        plain = patches_of(encoded(image, format_, None))
        assert plain == pytest.approx(np.array(by_formula), abs=4)
        found = patches_of(encoded(image, format_, black_ink_profile()))
        assert found == pytest.approx(np.array(by_profile), abs=4)


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("kind", ["wide", "grey", "ink"])
def test_the_profile_of_a_scaled_jpeg_is_applied(kind: str, orientation: int) -> None:
    wide = patches(in_space("Display P3", PATCHES / 255)).resize((512, 512), 0)
    expected, profile = PATCHES.astype(int), rgb_profile("Display P3")
    if kind == "grey":
        wide, profile = Image.new("L", (512, 512), 50), grey_profile(1.0)
        expected = np.full((2, 2, 3), 123)
    elif kind == "ink":
        wide, profile = Image.new("CMYK", (512, 512), (0, 0, 0, 255)), black_ink_profile()
        expected = np.zeros((2, 2, 3), int)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    content = encoded(wide, "JPEG", profile, exif=exif)
    found = decode_picture(content, EngineSettings(), lambda _: (4 * SIDE, 4 * SIDE))
    assert isinstance(found, Picture)
    assert (found.scale, found.pixels.size) == (2, (256, 256))
    turned = np.rot90(expected, -1) if orientation == 6 else expected
    assert patches_of(content) == pytest.approx(turned, abs=4)


def test_the_engine_gives_a_model_the_colours_of_the_profile(means_bundle: Path) -> None:
    bundle = Bundle.load(means_bundle)
    model = Model(bundle, open_session(bundle, "onnx", Device("cpu"), 1))
    contents = []
    for row in range(4):
        colour = PATCHES.reshape(4, 1, 1, 3)[row]
        wide = in_space("Adobe RGB (1998)", colour / 255).repeat(40, axis=0).repeat(30, axis=1)
        profile = rgb_profile("Adobe RGB (1998)")
        contents.append(encoded(Image.fromarray(wide), "JPEG", profile))
    batches = [
        pa.RecordBatch.from_pydict({"__content": pa.array(some)})
        for some in (contents[:3], contents[3:])
    ]

    found = list(run(batches, model, EngineSettings(threads=2), Vector(), ["__content"], "none"))

    means = np.array([row for batch in found for row in batch.column("features").to_pylist()])
    assert means == pytest.approx(PATCHES.reshape(4, 3).astype(float), abs=4)


def test_a_real_cmyk_image_has_the_colours_of_its_profile(shared: Path) -> None:
    content = (shared / "hostile/files/jd__reftest_images_ycck.jpg").read_bytes()
    with Image.open(io.BytesIO(content)) as image:
        assert image.mode == "CMYK"
        by_formula = np.asarray(image.convert("RGB").resize((SIDE, SIDE))).astype(int)
    # U.S. Web Coated (SWOP): pure inks on paper are less bright than on a screen.
    difference = np.abs(pixels_of(content).astype(int) - by_formula)
    assert 5 < difference.mean() < 60
