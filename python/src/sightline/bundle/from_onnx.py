"""Reads an ONNX file, or a graph in memory, of tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx

from sightline.bundle.batch_size import fixed_batch
from sightline.bundle.converted_model import ConvertedModel
from sightline.bundle.graph import bad_onnx, count_parameters, load_graph
from sightline.bundle.image_inputs import image_inputs, image_rows, name_images
from sightline.bundle.image_settings import Preprocessing
from sightline.bundle.row_runner import RowRunner, reason_of
from sightline.bundle.sample_rows import Range, find_rows, unique_axes
from sightline.bundle.tensor_graph import prepare_graph
from sightline.errors import WrongUseError


def from_onnx(
    source: Path | onnx.ModelProto,
    outputs: Sequence[str] = (),
    ranges: Mapping[str, Range] | None = None,
    images: Mapping[str, Preprocessing] | None = None,
) -> ConvertedModel:
    """Read a graph, and run it with onnxruntime on test rows, each alone.

    Args:
        source: A file, or a model in memory.
        outputs: Names of inner values that become outputs.
        ranges: Lowest value and limit of an input's values, for inputs by name. See `find_rows`.
        images: Preprocessing of the inputs that are images, by name.

    Raises:
        WrongUseError: BAD_ONNX, ONNX_EXTERNAL_DATA or UNKNOWN_OUTPUT.
    """
    what = str(source) if isinstance(source, Path) else source.graph.name or "the ONNX model"
    model = load_graph(source) if isinstance(source, Path) else source
    prepared = prepare_graph(model, outputs, what)
    inputs = unique_axes(prepared.inputs)
    try:
        runner = RowRunner(prepared.model, fixed_batch(inputs) or 1)
    except Exception as error:
        raise bad_onnx(what, f"it cannot be loaded: {reason_of(error)}") from error
    named = name_images(images or {}, [one.name for one in inputs], what)
    given = image_rows(image_inputs(prepared.model, named, what), named)
    rows = find_rows(runner, inputs, given, ranges or {}, what)
    return ConvertedModel(
        onnx=prepared.model.SerializeToString(deterministic=True),
        inputs=rows,
        outputs=runner.alone(rows),
        origin=f"ONNX, {Path(what).name}",
        parameters=count_parameters(prepared.model),
        labels=prepared.labels,
        notes=tuple(prepared.notes),
    )


def require_model(source: object) -> onnx.ModelProto:
    """Return the source if it is a whole model, not a graph or a part of it.

    Raises:
        WrongUseError: UNKNOWN_SOURCE.
    """
    if not isinstance(source, onnx.ModelProto):
        raise WrongUseError(
            "UNKNOWN_SOURCE",
            f"a {type(source).__name__} of onnx is not a model. Give a ModelProto.",
        )
    return source
