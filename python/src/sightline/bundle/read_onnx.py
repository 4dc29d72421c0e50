"""From an ONNX file to the material of a bundle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

from sightline.backends.device import Device
from sightline.backends.onnx import open_graph
from sightline.backends.protocol import Float32Array, UInt8Array
from sightline.bundle.fold import SourceInput, fold_pixels, free_reshapes, read_input
from sightline.bundle.golden import TOLERANCE
from sightline.bundle.graph import bad_onnx, count_parameters, default_opset, read_graph
from sightline.bundle.manifest import Preprocessing
from sightline.bundle.material import Material, describe_outputs
from sightline.errors import WrongUseError

Outputs = dict[str, Float32Array]


def read_onnx(
    path: Path, preprocessing: Preprocessing, labels: int, images: UInt8Array
) -> Material:
    """Read, check, run by hand, and fold an ONNX file.

    Args:
        path: The file; all weights inside.
        preprocessing: Its mean and std are folded in; its size must be the graph's.
        labels: How many there are.
        images: The golden images, (n, height, width, 3) uint8.

    Raises:
        WrongUseError: BAD_ONNX, ONNX_EXTERNAL_DATA, LABEL_COUNT_MISMATCH; FIXED_BATCH if the graph
            gives right results only for the batch that it was made with.
    """
    model = read_graph(path)
    source = read_input(model, preprocessing, path)
    by_hand = _run_by_hand(model, source, preprocessing, images, path)
    folded, reference = _fold(model, source, preprocessing, images, by_hand, path)
    outputs = describe_outputs(reference, len(images), labels, f"'{path}'")
    return Material(
        outputs=outputs,
        reference={output.name: reference[output.name] for output in outputs},
        parameters=count_parameters(model),
        onnx=folded.SerializeToString(deterministic=True),
        opset=default_opset(folded),
    )


def _run_by_hand(
    model: onnx.ModelProto,
    source: SourceInput,
    preprocessing: Preprocessing,
    images: UInt8Array,
    path: Path,
) -> list[Float32Array]:
    """The file's own outputs, with normalisation done here in numpy; in the file's order."""
    pixels: np.ndarray = images
    if source.tensor.dtype != "uint8":
        unit = images / 255.0
        normal = (unit - np.asarray(preprocessing.mean)) / np.asarray(preprocessing.std)
        pixels = normal.astype(source.tensor.dtype)
    if source.layout == "NCHW":
        pixels = pixels.transpose(0, 3, 1, 2)  # (n, 3, height, width)
    step = source.batch or len(images)
    parts: list[list[np.ndarray]] = []
    try:
        session = open_graph(model.SerializeToString(), Device("cpu"), 1)
        for start in range(0, len(images), step):
            batch = np.ascontiguousarray(pixels[start : start + step])
            rows = len(batch)
            short = source.batch - rows
            if short > 0:  # a graph made for more rows than are left
                batch = np.concatenate([batch, np.repeat(batch[-1:], short, axis=0)])
            parts.append([value[:rows] for value in session.run(None, {source.tensor.name: batch})])
    except Exception as error:  # onnxruntime's errors have no base of their own
        raise bad_onnx(
            path, f"onnxruntime {ort.__version__} cannot run it: {_line(error)}"
        ) from error
    return [np.concatenate(values).astype(np.float32) for values in zip(*parts, strict=True)]


def _fold(
    model: onnx.ModelProto,
    source: SourceInput,
    preprocessing: Preprocessing,
    images: UInt8Array,
    by_hand: list[Float32Array],
    path: Path,
) -> tuple[onnx.ModelProto, Outputs]:
    """The first folding that gives for the whole batch what the file gave by hand."""
    reason = ""
    for candidate in _candidates(model, source):
        folded = fold_pixels(candidate, source, preprocessing, path)
        names = [output.name for output in folded.graph.output]
        floats = {output.name for output in folded.graph.output if _is_float(output)}
        try:
            session = open_graph(folded.SerializeToString(), Device("cpu"), 1)
            found = session.run(None, {folded.graph.input[0].name: images})
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no base of their own
            reason = reason or _line(error)
            continue
        expected = dict(zip(names, by_hand, strict=True))
        alike = all(
            one.shape == expected[name].shape and np.allclose(one, expected[name], atol=TOLERANCE)
            for name, one in zip(names, found, strict=True)
        )
        if alike:
            return folded, {name: expected[name] for name in names if name in floats}
        reason = reason or "it gives other results for a batch than for its images one by one"
    if source.batch:
        raise WrongUseError(
            "FIXED_BATCH",
            f"'{path}' is made for batches of {source.batch}, and cannot be given a free batch: "
            f"{reason}. Export it with a dynamic batch axis.",
        )
    raise bad_onnx(path, f"it does not work with {len(images)} images at once: {reason}")


def _candidates(model: onnx.ModelProto, source: SourceInput) -> Iterator[onnx.ModelProto]:
    yield model
    if source.batch in (0, 1):
        yield free_reshapes(model)


def _is_float(output: onnx.ValueInfoProto) -> bool:
    return bool(output.type.tensor_type.elem_type == onnx.TensorProto.FLOAT)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
