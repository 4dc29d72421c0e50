import numpy as np
import pytest
from PIL import Image

from sightline.bundle.image_settings import Preprocessing, Resize, Size
from sightline.engine.feeds.preprocess import preprocess
from sightline.engine.picture import Picture


def processed(image: Image.Image, resize: Resize, crop: Size | None) -> np.ndarray:
    preprocessing = Preprocessing("RGB", resize, crop, (0, 0, 0), (1, 1, 1))
    out = np.zeros((preprocessing.size.height, preprocessing.size.width, 3), np.uint8)
    preprocess(Picture(image, 1, image.size), preprocessing, out)
    return out


def noise(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(values)


def test_stretch_resizes_to_the_exact_size() -> None:
    image = noise(50, 30)
    expected = np.asarray(image.resize((20, 40), Image.Resampling.BICUBIC))
    assert np.array_equal(processed(image, Resize("stretch", 40, 20, "bicubic"), None), expected)


@pytest.mark.parametrize(
    ("size", "resized", "left", "top"),
    [
        ((50, 30), (53, 32), 14, 4),  # 32 * 50 / 30 = 53.3, down; (53 - 24) / 2 = 14.5, to even
        ((30, 50), (32, 53), 4, 14),
        ((32, 32), (32, 32), 4, 4),
    ],
)
def test_shortest_edge_and_centre_crop_are_rounded_as_in_torchvision(
    size: tuple[int, int], resized: tuple[int, int], left: int, top: int
) -> None:
    image = noise(*size)
    expected = image.resize(resized, Image.Resampling.BILINEAR)
    expected = expected.crop((left, top, left + 24, top + 24))
    found = processed(image, Resize("shortest_edge", 32, 32, "bilinear"), Size(24, 24))
    assert np.array_equal(found, np.asarray(expected))


def test_a_very_long_image_is_resized_only_inside_the_crop() -> None:
    image = Image.new("RGB", (200_000, 1), (10, 20, 30))
    found = processed(image, Resize("shortest_edge", 256, 256, "bicubic"), Size(224, 224))
    assert (found == (10, 20, 30)).all()


def test_resizing_only_the_crop_gives_the_pixels_of_resizing_the_whole_image() -> None:
    image = Image.new("RGB", (900, 30), (10, 20, 30))
    image.paste((200, 100, 0), (450, 0, 900, 30))
    found = processed(image, Resize("shortest_edge", 32, 32, "bicubic"), Size(24, 24))
    whole = image.resize((960, 32), Image.Resampling.BICUBIC).crop((468, 4, 492, 28))
    assert np.abs(found.astype(int) - np.asarray(whole)).max() <= 1


@pytest.mark.parametrize("crop", [(21, 32), (32, 21), (35, 38), (40, 31), (33, 33), (64, 5)])
@pytest.mark.parametrize("size", [(32, 32), (41, 30), (30, 41), (33, 57)])
def test_a_crop_smaller_or_larger_than_the_image_has_the_pixels_of_torchvision(
    size: tuple[int, int], crop: tuple[int, int]
) -> None:
    from torchvision.transforms import functional

    image = noise(*size)
    expected = functional.center_crop(functional.resize(image, [32]), list(crop))
    found = processed(image, Resize("shortest_edge", 32, 32, "bilinear"), Size(*crop))
    assert np.array_equal(found, np.asarray(expected))
