"""Pixels of one training sample: those that serving sees, or a random variation of them."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from sightline.backends.backend import UInt8Array
from sightline.bundle.image_settings import Preprocessing
from sightline.engine.colours import to_srgb
from sightline.engine.decode import decode_picture
from sightline.engine.feeds.preprocess import FILTERS, REDUCING_GAP, least_size, preprocess_fast
from sightline.engine.picture import Box
from sightline.engine.settings import EngineSettings
from sightline.row_error import RowError
from sightline.train.train_settings import Augment

# As torchvision's RandomResizedCrop has them.
_AREAS = (0.08, 1.0)
_RATIOS = (3 / 4, 4 / 3)
_TRIES = 10


class PixelReader:
    """Decodes encoded images to uint8 (height, width, 3). Threads may share it.

    Without augmentation the pixels are exactly those that the engine gives the model when it
    serves, with the decoder ``fast``.

    Args:
        preprocessing: Of the network.
        augment: The variation of training samples.
        seed: Of the run. The variation of a sample depends on the seed, the epoch and the sample's
            row, and not on the worker that reads it; torchvision's transforms draw from one
            generator of the process, so they cannot do that.
    """

    def __init__(self, preprocessing: Preprocessing, augment: Augment, seed: int) -> None:
        self._preprocessing = preprocessing
        self._augment = augment
        self._seed = seed
        self._spec = EngineSettings()
        self._least = partial(least_size, preprocessing.resize)
        size = preprocessing.size
        self.size = (size.height, size.width)

    def plain(self, content: memoryview | bytes, out: UInt8Array) -> RowError | None:
        """Write the pixels that serving sees to `out`. Return the error of a bad image."""
        picture = decode_picture(content, self._spec, self._least)
        if isinstance(picture, RowError):
            return picture
        preprocess_fast(picture, self._preprocessing, out)
        return None

    def varied(
        self, content: memoryview | bytes, out: UInt8Array, epoch: int, row: int
    ) -> RowError | None:
        """Write the pixels of a training sample to `out`. Return the error of a bad image."""
        if self._augment == "none":
            return self.plain(content, out)
        random = np.random.Generator(np.random.Philox(key=[self._seed, (epoch << 40) + row]))
        mirrored = random.random() < 0.5
        found = (
            self._crop(content, out, random)
            if self._augment == "crop"
            else self.plain(content, out)
        )
        if found is None and mirrored:
            out[:] = out[:, ::-1].copy()
        return found

    def _crop(
        self, content: memoryview | bytes, out: UInt8Array, random: np.random.Generator
    ) -> RowError | None:
        rows, columns = out.shape[:2]
        boxes: list[Box] = []

        def at_least(size: tuple[int, int]) -> tuple[int, int]:
            box = random_box(size, random)
            boxes.append(box)
            left, top, right, bottom = box
            wide = REDUCING_GAP * columns * size[0] / (right - left)
            high = REDUCING_GAP * rows * size[1] / (bottom - top)
            return math.ceil(wide), math.ceil(high)

        picture = decode_picture(content, self._spec, at_least)
        if isinstance(picture, RowError):
            return picture
        box = boxes[0] if boxes else random_box(picture.size, random)
        filter_ = FILTERS[self._preprocessing.resize.interpolation]
        out[:] = np.asarray(
            to_srgb(picture.resize_box((columns, rows), filter_, box, REDUCING_GAP))
        )
        return None


def random_box(size: tuple[int, int], random: np.random.Generator) -> Box:
    """Return left, top, right and bottom of a random part, drawn as RandomResizedCrop does.

    Args:
        size: Width and height of the upright picture.
        random: The sample's own generator.
    """
    width, height = size
    for _ in range(_TRIES):
        area = width * height * random.uniform(*_AREAS)
        ratio = math.exp(random.uniform(math.log(_RATIOS[0]), math.log(_RATIOS[1])))
        wide, high = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < wide <= width and 0 < high <= height:
            left = int(random.integers(width - wide + 1))
            top = int(random.integers(height - high + 1))
            return left, top, left + wide, top + high
    # The largest part in the middle whose ratio is allowed.
    wide = min(width, max(1, round(height * _RATIOS[1])))
    high = min(height, max(1, round(width / _RATIOS[0])))
    left, top = (width - wide) // 2, (height - high) // 2
    return left, top, left + wide, top + high
