"""The Python interface: open a model, and run it on images or numbers in this process.

Users import these names from `sightline` itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sightline.backends.cache import open_session
from sightline.backends.device import DEVICES, Device, resolve_device
from sightline.backends.registry import known_backends
from sightline.backends.require_supported import require_precision, require_variant
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import PRECISIONS, Precision
from sightline.bundle.find import find_bundle
from sightline.engine.batch_rows import AUTO, BatchRows, batch_rows_for
from sightline.engine.make_feeds_and_heads import open_heads
from sightline.engine.model import Model as EngineModel
from sightline.engine.result_type import DEFAULT_TOP_K, TopK, Vector
from sightline.engine.run import run
from sightline.engine.settings import (
    DECODERS,
    DEFAULT_BATCH_ROWS,
    DEFAULT_DECODER,
    Casts,
    Decoder,
    EngineSettings,
)
from sightline.own_cores import own_cores
from sightline.row_error import RowError
from sightline.run_rows import Rows, run_rows
from sightline.source.read_images import (
    CONTENT,
    ERROR,
    ERROR_TYPE,
    READ_BYTES,
    READ_ROWS,
    read_file,
)
from sightline.wrong_option import require_known

Image = str | os.PathLike[str] | bytes
"""A local path, or the bytes of an encoded image (JPEG, PNG, WebP, BMP, GIF or TIFF)."""


@dataclass(frozen=True, slots=True)
class RankedClass:
    """One class of a prediction.

    Args:
        label: The class's label. Several classes of a model may have the same label.
        class_id: Number of the class, from 0.
        score: Probability of the class, in 0..1.
    """

    label: str
    class_id: int
    score: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """The prediction for one image, or the error of an image that has none.

    Args:
        label: Label of the most likely class; None if there is an error.
        class_id: Number of that class; None if there is an error.
        score: Probability of that class, in 0..1; None if there is an error.
        top_k: The most likely classes, the best first; empty if there is an error.
        error: Why the image has no prediction; None if it has one.
    """

    label: str | None
    class_id: int | None
    score: float | None
    top_k: tuple[RankedClass, ...]
    error: RowError | None


@dataclass(frozen=True, slots=True, eq=False)
class FeatureVector:
    """The features of one image, or the error of an image that has none.

    Args:
        values: (length,) float32; None if there is an error.
        error: Why the image has no features; None if it has some.
    """

    values: npt.NDArray[np.float32] | None
    error: RowError | None


class Model:
    """A model that is ready to run; `load` opens it.

    Threads may share it. Models with the same files, backend, device and precision share one
    session, which is freed when the last of them is.
    """

    def __init__(
        self, bundle: Bundle, model: EngineModel, spec: EngineSettings, device: Device
    ) -> None:
        self._bundle = bundle
        self._model = model
        self._spec = spec
        self._device = device

    @property
    def name(self) -> str:
        """Name of the model in its manifest."""
        return self._bundle.name

    @property
    def labels(self) -> tuple[str, ...]:
        """Label of each class, by class id.

        Raises:
            WrongUseError: NO_CLASSES if the model gives no scores; INVALID_BUNDLE if the file of
                labels is missing or does not fit; BUNDLE_CORRUPT if it has changed.
        """
        return tuple(self._bundle.labels)

    @property
    def sha256(self) -> str:
        """Identity of the model's files: the sha256 of its manifest, in hexadecimal."""
        return self._bundle.sha256

    @property
    def device(self) -> str:
        """The device that the model runs on, such as ``cpu`` or ``cuda:0``."""
        return str(self._device)

    def __repr__(self) -> str:
        return f"<sightline.Model {self.name} on {self.device}, sha256 {self.sha256[:12]}>"

    def predict(self, images: Iterable[Image], *, top_k: int = DEFAULT_TOP_K) -> list[Prediction]:
        """Classify images.

        Args:
            images: Paths or bytes. They are read in batches, so a generator may produce more
                images than fit into memory.
            top_k: Number of classes in each `Prediction.top_k`, at least 1.

        Returns:
            One prediction for each image, in the same order. An image that cannot be read or
            decoded gives a prediction with an error, and no exception.

        Raises:
            TypeError: If `images` is a single path or image, or contains other types.
            WrongUseError: INVALID_OPTION for a wrong `top_k`; NO_IMAGE_INPUT if the model does not
                take one image; NO_CLASSES if it gives no scores.
            SightlineError: MODEL_FAILED, MODEL_OUTPUT or OUT_OF_MEMORY.
        """
        return [
            _prediction({name: value.as_py() for name, value in row.items()}, error)
            for row, error in self._run(images, TopK(top_k))
        ]

    def features(self, images: Iterable[Image]) -> list[FeatureVector]:
        """Compute the feature vector of each image: the input of the model's last layer.

        Args:
            images: Paths or bytes, as for `predict`.

        Returns:
            One vector for each image, in the same order, or its error.

        Raises:
            TypeError: If `images` is a single path or image, or contains other types.
            WrongUseError: NO_IMAGE_INPUT if the model does not take one image; NO_FEATURES if it
                has none.
            SightlineError: MODEL_FAILED, MODEL_OUTPUT or OUT_OF_MEMORY.
        """
        return [
            FeatureVector(None if error else np.array(row["features"].values), error)
            for row, error in self._run(images, Vector())
        ]

    def run(
        self,
        inputs: Mapping[str, Rows],
        *,
        outputs: Sequence[str] | None = None,
        casts: Casts = "exact",
    ) -> list[dict[str, npt.NDArray[Any]] | RowError]:
        """Compute output tensors for rows of any inputs.

        A row of an input of numbers is a number, a nested list or a numpy array, with as many axes
        as the tensor has after its batch axis. Rows may have different lengths in a free axis of
        the tensor; the model runs rows of the same shape together. A row of an image input is a
        path or bytes.

        Args:
            inputs: For each input of the model, a numpy array (rows, …), or a sequence with one
                value for each row. All have the same number of rows.
            outputs: Names of outputs, in the wanted order; None for all. Other outputs are not
                computed.
            casts: With ``exact``, a number that the input's dtype cannot represent is an error of
                its row. With ``lossy`` it is changed: fractions are dropped, and numbers outside
                the range become the nearest limit. Floats are always rounded.

        Returns:
            For each row, in the order of the rows, the outputs by name, each with the output's
            dtype and the shape of one row. A row that does not fit the model, or on which the model
            fails, is a `RowError`.

        Raises:
            TypeError: If an input is not a sequence of rows, or an image no path and no bytes.
            ValueError: If inputs have different numbers of rows.
            WrongUseError: UNKNOWN_COLUMN if `inputs` does not have the names of the model's inputs;
                UNKNOWN_OUTPUT; WRONG_COLUMN_TYPE if all rows have one type that is no number or
                has another number of axes than the tensor; INVALID_OPTION for unknown `casts`.
            SightlineError: MODEL_FAILED, MODEL_OUTPUT or OUT_OF_MEMORY.
        """
        return run_rows(self._model, replace(self._spec, casts=casts), inputs, outputs)

    def _run(
        self, images: Iterable[Image], result: TopK | Vector
    ) -> Iterator[tuple[dict[str, Any], RowError | None]]:
        """Yield the result fields of each image as Arrow scalars by name, and its error or None.

        With an error, all fields are null.
        """
        if isinstance(images, str | bytes | os.PathLike):
            raise TypeError("images must be an iterable of paths or bytes, such as [path]")
        self._bundle.manifest.signature.require_image(self.name)
        open_heads(self._bundle, result)  # raises NO_CLASSES or NO_FEATURES, even without images
        batches = _batches(images, self._spec.max_image_bytes)
        for batch in run(batches, self._model, self._spec, result, [CONTENT], ERROR):
            *names, _ = batch.schema.names
            errors = batch.column("error").to_pylist()
            for *fields, error in zip(*batch.columns[:-1], errors, strict=True):
                values = dict(zip(names, fields, strict=True))
                yield values, None if error is None else RowError(**error)


def load(
    model: str | os.PathLike[str],
    *,
    backend: str = "onnx",
    precision: Precision = "fp32",
    device: str = "auto",
    decoder: Decoder = DEFAULT_DECODER,
    batch_rows: BatchRows = AUTO,
    threads: int | None = None,
    models: str | os.PathLike[str] | None = None,
    allow_code: bool = False,
) -> Model:
    """Open a model.

    Args:
        model: Name of a model, or path of its bundle.
        backend: ``onnx``, ``openvino``, ``pytorch``, or the name of an installed backend of another
            package.
        precision: ``fp32``, ``bf16`` or ``int8``. The last two need a calibrated model.
        device: ``auto``, ``cpu`` or ``cuda``. ``auto`` is a GPU if the backend can use one.
        decoder: ``fast`` decodes a large JPEG at a fraction of its size and resizes only the part
            that the model sees; ``exact`` decodes and resizes the whole image, like torchvision.
        batch_rows: Rows that the model processes at once, at least 1. A model that can run only
            smaller batches gets those. ``auto`` is the number that was measured for the backend on
            a CPU when the model was added. If none was measured, and on a GPU, it is 32.
        threads: Worker threads, at least 1; None for one thread per core.
        models: Folder to search first for a model's name; None for ``$SIGHTLINE_MODELS``. Then
            ``./models`` and the built-in models are searched.
        allow_code: Whether the bundle may run Python code from any package. Only for models that
            you trust.

    Raises:
        WrongUseError: UNKNOWN_MODEL, INVALID_BUNDLE, UNKNOWN_BACKEND, UNKNOWN_PRECISION,
            UNKNOWN_DEVICE, UNKNOWN_DECODER, NO_VARIANT, UNSUPPORTED_PRECISION, NOT_CALIBRATED,
            CODE_NOT_ALLOWED, INVALID_OPTION, MISSING_PACKAGE or BROKEN_EXTENSION.
        SightlineError: DEVICE_UNAVAILABLE or OUT_OF_MEMORY.
    """
    require_known("backend", backend, known_backends())
    require_known("precision", precision, PRECISIONS)
    require_known("device", device, DEVICES)
    require_known("decoder", decoder, DECODERS)
    spec = EngineSettings(
        batch_rows=DEFAULT_BATCH_ROWS if batch_rows == AUTO else batch_rows,
        decoder=decoder,
        threads=own_cores() if threads is None else threads,
    )
    name = os.fspath(model)
    # A Path has no slash if it names a folder in the working directory.
    is_folder = isinstance(model, os.PathLike) and Path(name).is_dir()
    bundle = (
        Bundle.load(Path(name))
        if is_folder
        else find_bundle(name, Path(models) if models else None)
    )
    require_variant(bundle, backend)
    require_precision(bundle, backend, precision)
    chosen = resolve_device(device, backend, None)
    # One thread within an operator: the engine has a worker thread for each core.
    session = open_session(bundle, backend, chosen, 1, precision=precision, allow_code=allow_code)
    rows = batch_rows_for(batch_rows, bundle.manifest, backend, chosen)
    return Model(bundle, EngineModel(bundle, session), replace(spec, batch_rows=rows), chosen)


def _batches(images: Iterable[Image], max_image_bytes: int) -> Iterator[pa.RecordBatch]:
    contents: list[bytes | None] = []
    errors: list[dict[str, str] | None] = []
    size = 0
    for image in images:
        found = image if isinstance(image, bytes) else read_file(_path(image), max_image_bytes)
        contents.append(found if isinstance(found, bytes) else None)
        errors.append(asdict(found) if isinstance(found, RowError) else None)
        size += len(found) if isinstance(found, bytes) else 0
        if len(contents) == READ_ROWS or size >= READ_BYTES:
            yield _batch(contents, errors)
            contents, errors, size = [], [], 0
    if contents:
        yield _batch(contents, errors)


def _path(image: object) -> str:
    if not isinstance(image, str | os.PathLike):
        raise TypeError(f"an image must be a path or bytes, not {type(image).__name__}")
    return os.fspath(image)


def _batch(contents: list[bytes | None], errors: list[dict[str, str] | None]) -> pa.RecordBatch:
    columns = [pa.array(contents, pa.binary()), pa.array(errors, ERROR_TYPE)]
    return pa.RecordBatch.from_arrays(columns, names=[CONTENT, ERROR])


def _prediction(row: dict[str, Any], error: RowError | None) -> Prediction:
    if error is not None:
        return Prediction(None, None, None, (), error)
    ranked = tuple(RankedClass(**one) for one in row["top_k"])
    return Prediction(row["label"], row["class_id"], row["score"], ranked, None)
