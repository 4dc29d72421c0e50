"""CUDA errors that end CUDA for a process are never errors of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from sightline.backends.backend import Array
from sightline.bundle.bundle import Bundle
from sightline.engine.model import Model
from sightline.errors import SightlineError


class Failing:
    """A session whose runtime reports an error. No GPU that can be made to fail is at hand."""

    def __init__(self, message: str) -> None:
        self.message = message

    def run(self, feeds: Mapping[str, Array], wanted: Sequence[str]) -> Mapping[str, Array]:
        raise RuntimeError(self.message)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        # The texts of PyTorch 2.11 and onnxruntime 1.22, up to their advice.
        ("CUDA error: an illegal memory access was encountered", "DEVICE_FAILED"),
        ("CUDA error: device-side assert triggered", "DEVICE_FAILED"),
        ("CUDA failure 700: an illegal memory access was encountered ; GPU=0", "DEVICE_FAILED"),
        ("CUDA error: uncorrectable ECC error encountered", "DEVICE_FAILED"),
        ("CUDA out of memory. Tried to allocate 20.00 GiB.", "OUT_OF_MEMORY"),
        ("mat1 and mat2 shapes cannot be multiplied", "MODEL_FAILED"),
    ],
)
def test_the_code_of_a_runtimes_error(colour_bundle: Path, message: str, code: str) -> None:
    bundle = Bundle.load(colour_bundle)
    (image,) = (one.tensor for one in bundle.manifest.signature.inputs)
    feeds = {image.name: np.zeros((1, *image.row_shape), image.dtype)}
    with pytest.raises(SightlineError) as raised:
        Model(bundle, Failing(message)).run(feeds, [])
    assert raised.value.code == code
