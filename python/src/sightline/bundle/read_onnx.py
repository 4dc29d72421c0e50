"""Reads an ONNX file as the source model of a bundle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

from sightline.backends.backend import Float32Array, UInt8Array
from sightline.backends.device import Device
from sightline.backends.onnx import open_graph
from sightline.bundle.fold import SourceInput, fold_pixels, normalised, read_inputs
from sightline.bundle.free_batch import free_batch
from sightline.bundle.golden import agrees, deltas, tolerance_for
from sightline.bundle.graph import (
    bad_onnx,
    count_parameters,
    default_opset,
    drop_other_outputs,
    read_graph,
    reduces_precision,
)
from sightline.bundle.image_settings import Preprocessing
from sightline.bundle.outputs import Asked, KeptOutput, choose_outputs
from sightline.bundle.source_model import SourceModel
from sightline.errors import WrongUseError


def read_onnx(
    path: Path,
    preprocessing: Preprocessing,
    labels: int,
    images: UInt8Array,
    activation: Asked = "auto",
    scores: str = "",
) -> SourceModel:
    """Read an ONNX file, run it with normalisation in numpy, and fold the normalisation into it.

    Args:
        path: The file. Its weights are inside it, or in a file beside it.
        preprocessing: Mean and std to fold in, and the size, which must be the graph's.
        labels: Number of labels.
        images: The golden images, (n, height, width, 3) uint8.
        activation: See `choose_outputs`.
        scores: See `choose_outputs`.

    Raises:
        WrongUseError: BAD_ONNX, ONNX_EXTERNAL_DATA; FIXED_BATCH if the graph is correct only for
            the batch size of its export; an error of `choose_outputs`.
    """
    model = read_graph(path)
    drop_other_outputs(model.graph)
    sources = read_inputs(model, preprocessing, path)
    source, by_hand = _run_by_hand(model, sources, preprocessing, images, path)
    outputs = choose_outputs(by_hand, len(images), labels, f"'{path}'", activation, scores)
    reference = {one.name: one.apply(by_hand[one.source]) for one in outputs}
    precision = "half" if reduces_precision(model) else "single"
    folded = _fold(model, source, preprocessing, images, outputs, reference, precision, path)
    return SourceModel(
        outputs=tuple(one.output for one in outputs),
        scores=_scores(outputs),
        reference=reference,
        parameters=count_parameters(model),
        precision=precision,
        onnx=folded.SerializeToString(deterministic=True),
        opset=default_opset(folded),
        normalises=source.tensor.dtype == "uint8",
        gives_two=any(one.change.endswith("of two") for one in outputs),
    )


def _run_by_hand(
    model: onnx.ModelProto,
    sources: Sequence[SourceInput],
    preprocessing: Preprocessing,
    images: UInt8Array,
    path: Path,
) -> tuple[SourceInput, dict[str, np.ndarray]]:
    """Return the file's own outputs by name, with normalisation in numpy.

    If the shape of the input does not show the channel axis, exactly one layout must run.
    """
    content, reasons, ran = model.SerializeToString(), [], []
    for source in sources:
        try:
            found = _run_in_parts(content, source, normalised(images, preprocessing, source))
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no base of their own
            reasons.append(_line(error))
        else:
            ran.append((source, found))
    if not ran:
        raise bad_onnx(path, f"onnxruntime {ort.__version__} cannot run it: {reasons[0]}")
    if len(ran) > 1:
        raise bad_onnx(
            path,
            f"the shape of its input '{sources[0].tensor.name}' does not show whether channels are "
            "first or last, and it runs both ways. Export it with the shape (n, 3, height, width) "
            "or (n, height, width, 3)",
        )
    return ran[0]


def _run_in_parts(content: bytes, source: SourceInput, pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Return every output by name, computed in batches of the size that the file accepts."""
    session = open_graph(content, Device("cpu"), 1)
    step = source.batch or len(pixels)
    names = [output.name for output in session.get_outputs()]
    parts: dict[str, list[np.ndarray]] = {}
    for start in range(0, len(pixels), step):
        batch = pixels[start : start + step]
        rows = len(batch)
        if rows < source.batch:  # the graph needs more rows than are left
            batch = np.concatenate([batch, np.repeat(batch[-1:], source.batch - rows, axis=0)])
        values = session.run(None, {source.tensor.name: np.ascontiguousarray(batch)})
        for name, value in zip(names, values, strict=True):
            if isinstance(value, np.ndarray) and value.ndim > 0:
                parts.setdefault(name, []).append(value[:rows])
    return {name: np.concatenate(values) for name, values in parts.items()}


def _fold(
    model: onnx.ModelProto,
    source: SourceInput,
    preprocessing: Preprocessing,
    images: UInt8Array,
    outputs: Sequence[KeptOutput],
    reference: Mapping[str, Float32Array],
    precision: str,
    path: Path,
) -> onnx.ModelProto:
    """Return the first folded graph whose outputs for the whole batch equal those of the file."""
    scores = _scores(outputs)
    allowed = tolerance_for(reference[scores], precision)
    reason = ""
    for candidate in _candidates(model, source):
        folded = fold_pixels(candidate, source, preprocessing, outputs, path)
        try:
            session = open_graph(folded.SerializeToString(), Device("cpu"), 1)
            found = session.run(list(reference), {folded.graph.input[0].name: images})
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no base of their own
            reason = reason or _line(error)
            continue
        differences = deltas(dict(zip(reference, found, strict=True)), reference, {scores})
        if agrees(differences, {scores}, allowed):
            return folded
        name = max(differences, key=lambda one: differences[one])
        far = differences[name]
        how = f"differs by {far:.2g}" if np.isfinite(far) else "has another shape, or no numbers"
        alone = "one by one" if source.batch == 1 else "in the file's batch size"
        reason = reason or (
            f"for {len(images)} images at once its output '{name}' {how}, compared with {alone}"
        )
    if source.batch:
        raise WrongUseError(
            "FIXED_BATCH",
            f"'{path}' is made for batches of {source.batch} and cannot run another number of "
            f"images: {reason}. Export it with a free first axis: torch.onnx.export(…, "
            "dynamic_shapes=({0: 'n'},)).",
        )
    raise bad_onnx(path, f"it does not work with {len(images)} images at once: {reason}")


def _scores(outputs: Sequence[KeptOutput]) -> str:
    return next(one.name for one in outputs if one.role == "scores")


def _candidates(model: onnx.ModelProto, source: SourceInput) -> Iterator[onnx.ModelProto]:
    yield model
    yield free_batch(model, [source.tensor.name], source.batch)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
