"""The four measured parts of one combination, built on the engine and the backends."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from sightline.backends.backend import UInt8Array
from sightline.backends.cache import open_session
from sightline.backends.choose_device import resolve_device
from sightline.backends.registry import require_precision, require_variant
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Precision
from sightline.bundle.manifest import Preprocessing
from sightline.engine.decode import decode
from sightline.engine.model import Model
from sightline.engine.preprocess import preprocess
from sightline.engine.run import run
from sightline.engine.spec import Decoder, EngineSpec
from sightline.errors import WrongUseError
from sightline.row_error import RowError
from sightline.source.listing import Listing
from sightline.source.read_images import CONTENT, ERROR, read_images

Part = Literal["raw decode", "raw inference", "sequential loop", "engine"]
PARTS: tuple[Part, ...] = get_args(Part)
# As `sightline predict` reads.
_READ_ROWS = 256
_READ_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Combination:
    """One way to run a model.

    Args:
        backend: ``onnx``, ``openvino`` or ``pytorch``.
        precision: ``fp32``, ``bf16`` or ``int8``.
        decoder: Decoder for JPEGs.
        batch_rows: Images in one batch, at least 1.
    """

    backend: str
    precision: Precision
    decoder: Decoder
    batch_rows: int

    def __str__(self) -> str:
        return f"{self.backend} {self.precision} {self.decoder}, batches of {self.batch_rows}"

    def spec(self, threads: int) -> EngineSpec:
        """Return the settings of the engine.

        Raises:
            WrongUseError: UNKNOWN_DECODER, MISSING_PACKAGE or INVALID_OPTION.
        """
        return EngineSpec(self.batch_rows, decoder=self.decoder, threads=threads)

    def require_supported(self, bundle: Bundle, device: str) -> str:
        """Check, without loading anything, that the model can run this way.

        Returns:
            The device, as text.

        Raises:
            WrongUseError: UNKNOWN_BACKEND, NO_VARIANT, UNKNOWN_PRECISION, UNSUPPORTED_PRECISION,
                NOT_CALIBRATED, UNKNOWN_DECODER, MISSING_PACKAGE or UNKNOWN_DEVICE.
            SightlineError: DEVICE_UNAVAILABLE.
        """
        self.spec(1)
        require_variant(bundle, self.backend)
        require_precision(bundle, self.backend, self.precision, self.decoder)
        return str(resolve_device(device, self.backend, None))


@dataclass(frozen=True, slots=True)
class Decoded:
    """The images that can be decoded.

    Args:
        contents: The encoded images.
        pixels: (n, height, width, 3) uint8, at the model's size.
    """

    contents: list[bytes]
    pixels: UInt8Array


def decode_images(listing: Listing, bundle: Bundle, spec: EngineSpec) -> Decoded:
    """Read and decode all images; those that fail are left out.

    Raises:
        WrongUseError: NO_IMAGES if none can be decoded.
    """
    preprocessing = bundle.manifest.preprocessing
    size = preprocessing.size
    pixels = np.empty((len(listing), size.height, size.width, 3), np.uint8)
    kept: list[bytes] = []
    for batch in read_images(listing, spec.max_image_bytes, _READ_ROWS, _READ_BYTES):
        for content in batch.column(CONTENT).to_pylist():
            if content is not None and _decode(content, spec, preprocessing, pixels[len(kept)]):
                kept.append(content)
    if not kept:
        message = f"none of the {len(listing)} images can be decoded. Give images that can."
        raise WrongUseError("NO_IMAGES", message)
    return Decoded(kept, pixels[: len(kept)])


@dataclass(frozen=True, slots=True)
class Sample:
    """The cost of one image: CPU time of the whole process, and elapsed time, milliseconds."""

    cpu_ms: float
    wall_ms: float


class Parts:
    """A loaded model, ready to measure its parts.

    Args:
        bundle: The model.
        combination: How to run it.
        listing: The images, for the parts that read files.
        decoded: The same images, for the raw parts.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: Worker threads of the engine. The other parts use one thread.
        allow_code: Whether the bundle may name code of any package.

    Raises:
        WrongUseError: As `open_session`.
        SightlineError: DEVICE_UNAVAILABLE, OUT_OF_MEMORY or MODEL_FAILED.
    """

    def __init__(
        self,
        bundle: Bundle,
        combination: Combination,
        listing: Listing,
        decoded: Decoded,
        device: str,
        threads: int,
        *,
        allow_code: bool,
    ) -> None:
        session = open_session(
            bundle,
            combination.backend,
            resolve_device(device, combination.backend, None),
            1,
            precision=combination.precision,
            allow_code=allow_code,
        )
        self._model = Model(bundle, session)
        self._preprocessing = bundle.manifest.preprocessing
        self._spec = combination.spec(threads)
        self._listing = listing
        self._decoded = decoded
        # The first run of each thread allocates memory.
        self._infer(decoded.pixels[: combination.batch_rows])
        self._engine(listing.first(combination.batch_rows * threads))

    def measure(self, part: Part) -> Sample:
        """Run one part over all images and return its cost.

        Raises:
            SightlineError: MODEL_FAILED, MODEL_OUTPUT or OUT_OF_MEMORY.
        """
        runs: dict[Part, Callable[[], None]] = {
            "raw decode": self._raw_decode,
            "raw inference": self._raw_inference,
            "sequential loop": self._sequential_loop,
            "engine": lambda: self._engine(self._listing),
        }
        cpu, wall = time.process_time(), time.perf_counter()
        runs[part]()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        images = len(self._decoded.contents)
        return Sample(1000 * cpu / images, 1000 * wall / images)

    def _raw_decode(self) -> None:
        out = np.empty_like(self._decoded.pixels[0])
        for content in self._decoded.contents:
            _decode(content, self._spec, self._preprocessing, out)

    def _raw_inference(self) -> None:
        pixels, rows = self._decoded.pixels, self._spec.batch_rows
        for start in range(0, len(pixels), rows):
            self._infer(pixels[start : start + rows])

    def _sequential_loop(self) -> None:
        rows = self._spec.batch_rows
        buffer = np.empty((rows, *self._decoded.pixels.shape[1:]), np.uint8)
        for batch in read_images(self._listing, self._spec.max_image_bytes, rows, _READ_BYTES):
            filled = 0
            for content in batch.column(CONTENT).to_pylist():
                if content is not None:
                    filled += _decode(content, self._spec, self._preprocessing, buffer[filled])
            if filled:
                self._infer(buffer[:filled])

    def _engine(self, listing: Listing) -> None:
        spec = self._spec
        batches = read_images(listing, spec.max_image_bytes, _READ_ROWS, _READ_BYTES)
        for _ in run(batches, self._model, spec, CONTENT, ERROR):
            pass

    def _infer(self, pixels: UInt8Array) -> None:
        """Run one batch of (n, height, width, 3) uint8 and take the best class of each image."""
        self._model.run(pixels, "scores").argmax(axis=1)


def _decode(
    content: bytes, spec: EngineSpec, preprocessing: Preprocessing, out: UInt8Array
) -> bool:
    """Write one image at the model's size to `out`; return whether it could be decoded."""
    image = decode(content, spec, preprocessing.least_decoded)
    if isinstance(image, RowError):
        return False
    try:
        preprocess(image, preprocessing, out)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - the engine reports it as an error of the image
        return False
    return True
