"""The measured parts of one combination. Only this file uses the engine and the backends."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sightline.backends.backend import UInt8Array
from sightline.backends.cache import open_session
from sightline.backends.device import Device, resolve_device
from sightline.backends.require_supported import require_precision, require_variant
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Precision
from sightline.engine.batch_rows import BatchRows, batch_rows_for
from sightline.engine.feeds.image_feed import ImageFeed
from sightline.engine.model import Model
from sightline.engine.result_type import Tensors, TopK
from sightline.engine.run import run
from sightline.engine.settings import Decoder, EngineSettings
from sightline.errors import WrongUseError
from sightline.source.listing import Listing
from sightline.source.read_images import CONTENT, ERROR, READ_BYTES, READ_ROWS, read_images


@dataclass(frozen=True, slots=True)
class Combination:
    """One mode and batch size."""

    backend: str
    precision: Precision
    decoder: Decoder
    batch_rows: BatchRows

    def __str__(self) -> str:
        return f"{self.backend} {self.precision} {self.decoder}, batches of {self.batch_rows}"

    def spec(self, threads: int) -> EngineSettings:
        """Return the settings of the engine, without the batch size."""
        return EngineSettings(decoder=self.decoder, threads=threads)

    def rows(self, bundle: Bundle, device: Device) -> int:
        """Return the batch size for a model on a device, at least 1."""
        return batch_rows_for(self.batch_rows, bundle.manifest, self.backend, device)

    def require_supported(self, bundle: Bundle, device: str) -> Device:
        """Check that the model can run in this combination, and return the device; loads nothing.

        Raises:
            WrongUseError: NO_IMAGE_INPUT, UNKNOWN_BACKEND, NO_VARIANT, UNKNOWN_PRECISION,
                UNSUPPORTED_PRECISION, NOT_CALIBRATED, UNKNOWN_DECODER or UNKNOWN_DEVICE.
            SightlineError: DEVICE_UNAVAILABLE.
        """
        self.spec(1)
        bundle.manifest.signature.require_image(bundle.name)
        require_variant(bundle, self.backend)
        require_precision(bundle, self.backend, self.precision)
        return resolve_device(device, self.backend, None)

    def load(self, bundle: Bundle, device: Device, *, allow_code: bool) -> Model:
        """Load the model with one thread per operator, as `predict` does; see `open_session`."""
        precision = self.precision
        session = open_session(
            bundle, self.backend, device, 1, precision=precision, allow_code=allow_code
        )
        return Model(bundle, session)


@dataclass(frozen=True, slots=True)
class Images:
    """Listed images, decoded by one decoder.

    Args:
        listing: All images.
        contents: The encoded images that can be decoded.
        pixels: (n, height, width, 3) uint8, at the model's size, one for each of `contents`.
    """

    listing: Listing
    contents: list[bytes]
    pixels: UInt8Array


def decode_images(listing: Listing, bundle: Bundle, spec: EngineSettings) -> Images:
    """Read and decode the images.

    Raises:
        WrongUseError: NO_IMAGES if none can be decoded.
    """
    preprocessing = bundle.manifest.signature.require_image(bundle.name)
    feed, size = ImageFeed(preprocessing, spec), preprocessing.size
    pixels = np.empty((len(listing), size.height, size.width, 3), np.uint8)
    contents: list[bytes] = []
    for batch in read_images(listing, spec.max_image_bytes, READ_ROWS, READ_BYTES):
        for content in batch.column(CONTENT).to_pylist():
            if content and feed.write(memoryview(content), pixels[len(contents)]) is None:
                contents.append(content)
    if not contents:
        message = f"none of the {len(listing)} images can be decoded. Give readable images."
        raise WrongUseError("NO_IMAGES", message)
    return Images(listing, contents, pixels[: len(contents)])


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one image: CPU time of the process, and elapsed time, both in milliseconds."""

    cpu_ms: float
    wall_ms: float


class Parts:
    """A loaded model and images. ``runs`` contains the parts; each part processes all images.

    Args:
        model: From `Combination.load`.
        spec: From `Combination.spec`, with a batch size. All parts except the engine use one
            thread.
        images: Images, decoded with the decoder of `spec`.
    """

    def __init__(self, model: Model, spec: EngineSettings, images: Images) -> None:
        self._model = model
        self._spec = spec = spec.with_most_rows(model.bundle.manifest.most_rows)
        self._images = images
        signature = model.bundle.manifest.signature
        self._input = signature.inputs[0].tensor.name
        self._output = (signature.classes or signature.outputs[0]).name
        self._feed = ImageFeed(signature.require_image(model.bundle.name), spec)
        self.runs: dict[str, Callable[[], None]] = {
            "raw decode": self._raw_decode,
            "raw inference": self._raw_inference,
            "sequential loop": self._sequential_loop,
            "engine": lambda: self._engine(images.listing),
        }
        # The first run of each thread allocates memory.
        self._infer(images.pixels[: spec.batch_rows])
        self._engine(images.listing.first(spec.batch_rows * spec.threads))

    def measure(self, part: str) -> Cost:
        """Run one part and return its cost.

        Raises:
            SightlineError: MODEL_FAILED, MODEL_OUTPUT or OUT_OF_MEMORY.
        """
        cpu, wall = time.process_time(), time.perf_counter()
        self.runs[part]()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        images = len(self._images.contents)
        return Cost(1000 * cpu / images, 1000 * wall / images)

    def _raw_decode(self) -> None:
        out = np.empty_like(self._images.pixels[0])
        for content in self._images.contents:
            self._feed.write(memoryview(content), out)

    def _raw_inference(self) -> None:
        pixels, rows = self._images.pixels, self._spec.batch_rows
        for start in range(0, len(pixels), rows):
            self._infer(pixels[start : start + rows])

    def _sequential_loop(self) -> None:
        spec = self._spec
        buffer = np.empty((spec.batch_rows, *self._images.pixels.shape[1:]), np.uint8)
        listing = self._images.listing
        for batch in read_images(listing, spec.max_image_bytes, spec.batch_rows, READ_BYTES):
            filled = 0
            for content in batch.column(CONTENT).to_pylist():
                if content:
                    filled += self._feed.write(memoryview(content), buffer[filled]) is None
            if filled:
                self._infer(buffer[:filled])

    def _engine(self, listing: Listing) -> None:
        batches = read_images(listing, self._spec.max_image_bytes, READ_ROWS, READ_BYTES)
        result = (
            TopK() if self._model.bundle.manifest.signature.classes else Tensors((self._output,))
        )
        for _ in run(batches, self._model, self._spec, result, [CONTENT], ERROR):
            pass

    def _infer(self, pixels: UInt8Array) -> None:
        self._model.run({self._input: pixels}, [self._output])[0].argmax(axis=-1)
