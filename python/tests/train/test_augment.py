from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sightline.bundle.image_settings import Preprocessing, Resize, Size
from sightline.engine.feeds.image_feed import ImageFeed
from sightline.engine.settings import EngineSettings
from sightline.train.augment import PixelReader, random_box

from .conftest import photo

PREPROCESSING = Preprocessing(
    "RGB", Resize("shortest_edge", 36, 36, "bilinear"), Size(32, 32), (0.5,) * 3, (0.5,) * 3
)
CAMERA = Path(__file__).parents[4] / "shared" / "data" / "camera"


def read(augment: str, content: bytes, epoch: int = 0, row: int = 0) -> np.ndarray:
    out = np.zeros((32, 32, 3), np.uint8)
    reader = PixelReader(PREPROCESSING, augment, 5)  # type: ignore[arg-type]
    assert reader.varied(content, out, epoch, row) is None
    return out


def served(content: bytes) -> np.ndarray:
    feed = ImageFeed(PREPROCESSING, EngineSettings())
    out = np.zeros((32, 32, 3), np.uint8)
    assert feed.write(feed.open(pa.array([content], pa.binary()))[0], out) is None
    return out


def test_without_augmentation_the_pixels_are_those_that_serving_sees() -> None:
    content = photo("red", 1, (100, 80))
    assert (read("none", content) == served(content)).all()


@pytest.mark.skipif(not CAMERA.is_dir(), reason="no photographs at ../shared/data/camera")
def test_large_photographs_have_the_pixels_that_serving_sees() -> None:
    content = min(CAMERA.glob("*.jpg"), key=lambda file: file.stat().st_size).read_bytes()
    assert (read("none", content) == served(content)).all()


def test_a_mirrored_sample_is_the_served_one_from_right_to_left() -> None:
    content = photo("red", 1, (100, 80))
    plain = served(content)
    found = {
        "plain"
        if (pixels == plain).all()
        else "mirrored"
        if (pixels == plain[:, ::-1]).all()
        else "?"
        for pixels in (read("flip", content, row=row) for row in range(20))
    }
    assert found == {"plain", "mirrored"}


def test_the_variation_depends_on_the_epoch_and_the_row_alone() -> None:
    content = photo("red", 1, (100, 80))
    first = read("crop", content, epoch=2, row=7)
    assert (read("crop", content, epoch=2, row=7) == first).all()
    assert (read("crop", content, epoch=3, row=7) != first).any()
    assert (read("crop", content, epoch=2, row=8) != first).any()


def test_a_random_part_is_inside_the_picture_and_has_an_allowed_area() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        left, top, right, bottom = random_box((640, 480), random)
        assert 0 <= left < right <= 640
        assert 0 <= top < bottom <= 480
        assert 0.07 < (right - left) * (bottom - top) / (640 * 480) <= 1
    assert random_box((1000, 2), random) == (498.0, 0.0, 501.0, 2.0)
