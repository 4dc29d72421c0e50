"""Makes a bundle from the ONNX graph of any framework's model: any inputs and outputs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import onnx

from sightline.backends.backend import Array
from sightline.bundle.axes import FoundAxes, find_axes
from sightline.bundle.batch_size import Batch, find_batch, fixed_batch
from sightline.bundle.bundle import Bundle
from sightline.bundle.choose_heads import HeadedOutput, choose_heads
from sightline.bundle.converted_model import ConvertedModel
from sightline.bundle.fold import SourceInput, add_output, fold_pixel_input
from sightline.bundle.golden import TOLERANCE, check_deltas, deltas, pack_golden, tolerance_for
from sightline.bundle.graph import bad_onnx, default_opset, reduces_precision, strip_notes
from sightline.bundle.image_inputs import (
    example_images,
    image_inputs,
    image_rows,
    name_images,
)
from sightline.bundle.manifest import Golden, Manifest, OnnxVariant
from sightline.bundle.row_runner import RowRunner, count_rows, reason_of
from sightline.bundle.sample_rows import ROWS, unique_axes
from sightline.bundle.signature import TENSOR, Classes, Input, Kind, Signature
from sightline.bundle.tensor_graph import prepare_graph
from sightline.bundle.tensor_request import TensorRequest
from sightline.bundle.tensor_spec import DTYPES, TensorSpec
from sightline.bundle.write_bundle import (
    GOLDEN_FILE,
    ONNX_FILE,
    model_exists,
    require_model_name,
    write_bundle,
)
from sightline.publish import publish_folder, require_replaceable
from sightline.version import __version__

_HALF = 1e-2  # largest difference of two batch sizes in float16, see `scaled_delta`
Rows = Mapping[str, Array]


@dataclass(frozen=True)
class AddedModel:
    """A published bundle, and lines for the user about what was changed or left out."""

    bundle: Bundle
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Examined:
    """What running a graph has shown: its batch size, its axes and its golden rows."""

    batch: Batch
    axes: FoundAxes
    rows: Rows
    expected: Rows
    layouts: Mapping[str, SourceInput]
    precision: str


def add_tensors(
    converted: ConvertedModel,
    request: TensorRequest,
    models_root: Path,
    existing: Literal["refuse", "replace"] = "refuse",
    sources: Iterable[Path] = (),
    *,
    measure: bool = True,
) -> AddedModel:
    """Find the signature of a converted model by running it, and publish it as a bundle.

    The bundle's golden batch holds the framework's own results. For images, and for outputs that
    the framework did not give, it holds those of the converted graph, each row run alone, after the
    graph's results for the framework's rows were compared.

    Args:
        converted: The model.
        request: The name and the user's choices.
        models_root: The parent folder of the bundle's folder.
        existing: "refuse" raises an error if a bundle has that name, "replace" replaces it.
        sources: Files that must not be replaced.
        measure: Whether to measure the best batch sizes; see `write_bundle`.

    Raises:
        WrongUseError: If the model or the request is not possible. The condition names the reason.
        SightlineError: MODEL_VARIANTS_DISAGREE if the graph gives other results than the framework.
    """
    require_model_name(request.name)
    target = models_root / request.name
    files = list(sources)
    if existing == "replace":
        require_replaceable(target, files)
    there = None if existing == "replace" else model_exists(target)
    with publish_folder(target, there, files) as folder:
        what = converted.origin
        prepared = prepare_graph(onnx.load_from_string(converted.onnx), request.outputs, what)
        names = [one.name for one in prepared.inputs]
        request = replace(request, images=name_images(request.images, names, what))
        found = _examine(prepared.model, prepared.inputs, converted, request)
        labels = _labels({**prepared.labels, **converted.labels}, request, found.axes)
        heads = choose_heads(
            found.axes.outputs,
            found.expected,
            request.heads,
            labels,
            request.activation,
            _allowed(found.precision),
            what,
        )
        contents = _contents(found, heads, request)
        draft = _manifest(converted, request, found, heads, contents)
        write_bundle(folder, draft, contents, measure=measure)
    notes = [*converted.notes, *prepared.notes, found.batch.note, *found.axes.notes]
    return AddedModel(Bundle.load(target), tuple(dict.fromkeys(filter(None, notes))))


def _examine(
    model: onnx.ModelProto,
    declared: list[TensorSpec],
    converted: ConvertedModel,
    request: TensorRequest,
) -> _Examined:
    what, inputs = converted.origin, unique_axes(declared)
    layouts = image_inputs(model, request.images, what)
    precision = "half" if reduces_precision(model) else "single"
    try:
        source = RowRunner(model, fixed_batch(inputs) or 1)
    except Exception as error:
        raise bad_onnx(what, f"it cannot be loaded: {reason_of(error)}") from error
    rows = {one.name: converted.inputs[one.name] for one in inputs}
    expected = {**source.alone(rows), **converted.outputs}
    if layouts:
        _check_framework(source, rows, converted, request.name, precision)
        rows = {name: np.resize(one, (ROWS, *one.shape[1:])) for name, one in rows.items()}
        rows |= image_rows(layouts, request.images)
        expected = source.alone(rows)
    several = rows if count_rows(rows) > 1 else _more_rows(rows)
    batch = find_batch(model, source, inputs, several, _allowed(precision), what)
    if batch.most_rows:
        several = {name: value[:1] for name, value in several.items()}
    if batch.varying:  # rows of different shapes cannot be stored together
        rows = {name: value[:1] for name, value in rows.items()}
        expected = source.together(rows) | {k: v[:1] for k, v in expected.items()}
    outputs = _declared_outputs(batch.model, expected)
    axes = find_axes(batch.runner.together, several, inputs, outputs, list(layouts), batch.varying)
    axes.notes.extend(
        f"output {one.name} is left out: its first axis is not the batch"
        for one in batch.model.graph.output
        if one.name not in expected
    )
    axes.notes.extend(
        f"output {one.name} is left out: it is {one.dtype}, not numbers"
        for one in axes.outputs
        if one.dtype not in DTYPES
    )
    kept = [one for one in axes.outputs if one.dtype in DTYPES]
    if not kept:
        raise bad_onnx(what, f"it has no output with a row for each input row: {axes.notes}")
    axes = replace(axes, outputs=kept)
    _check_longer(source, batch, axes, precision, what)
    typed = {one.name: expected[one.name].astype(one.dtype) for one in kept}
    return _Examined(batch, axes, rows, typed, layouts, precision)


def _allowed(precision: str) -> float:
    return _HALF if precision == "half" else TOLERANCE


def _declared_outputs(model: onnx.ModelProto, values: Rows) -> list[TensorSpec]:
    """Return the outputs with their declared axes, and with the dtypes of their values."""
    found = []
    for one in model.graph.output:
        if one.name in values:
            dims = one.type.tensor_type.shape.dim
            axes = tuple(max(axis.dim_value, 0) or axis.dim_param or "?" for axis in dims)
            found.append(TensorSpec(one.name, str(values[one.name].dtype), axes))
    return found


def _check_framework(
    source: RowRunner, rows: Rows, converted: ConvertedModel, name: str, precision: str
) -> None:
    """Compare the graph with the framework's own results for rows that are not stored."""
    found = source.alone(rows)
    differences = deltas(found, converted.outputs, ())
    check_deltas(name, "onnx", differences, (), _allowed(precision))


def _check_longer(
    source: RowRunner, batch: Batch, axes: FoundAxes, precision: str, what: str
) -> None:
    """Compare a batch with its rows alone once more, for other lengths of the free axes."""
    if axes.longer is None or batch.most_rows or source.step > 1:
        return
    alone = source.alone(axes.longer)
    expected = {one.name: alone[one.name] for one in axes.outputs if one.name in alone}
    for name, far in deltas(batch.runner.together(axes.longer), expected, ()).items():
        if far > _allowed(precision):
            raise bad_onnx(
                what,
                f"with other lengths of its free axes, its output '{name}' for a batch differs by "
                f"{far:.2g} from those of the rows alone",
            )


def _more_rows(rows: Rows) -> dict[str, Array]:
    """Return three rows with the values of one, each in another order."""
    return {
        name: np.concatenate([np.roll(value, by, axis=value.ndim - 1) for by in range(3)])
        if value.ndim > 1
        else np.repeat(value, 3)
        for name, value in rows.items()
    }


def _labels(
    own: Mapping[str, tuple[str, ...]], request: TensorRequest, axes: FoundAxes
) -> dict[str, tuple[str, ...]]:
    """Return the labels by output: the user's, or else the model's own."""
    kept = {one.name for one in axes.outputs}
    labels = {name: one for name, one in own.items() if name in kept and one}
    general = request.labels.get("", ())
    if general and len(labels) == 1 and not request.heads:
        return {next(iter(labels)): general}
    return {**labels, **request.labels}


def _contents(
    found: _Examined, heads: list[HeadedOutput], request: TensorRequest
) -> dict[str, bytes]:
    """Return the files of the bundle, without the manifest."""
    images = {
        name: example_images(request.images[name], at) for at, name in enumerate(found.layouts)
    }
    outputs = {one.output.name: one.apply(found.expected[one.source]) for one in heads}
    contents = {
        GOLDEN_FILE: pack_golden({**found.rows, **images}, outputs),
        ONNX_FILE: _graph(found, heads, request),
    }
    for one in heads:
        if isinstance(one.output.head, Classes):
            contents[one.output.head.labels] = "".join(f"{x}\n" for x in one.labels).encode()
    return contents


def _graph(found: _Examined, heads: list[HeadedOutput], request: TensorRequest) -> bytes:
    """Return the graph with the bundle's inputs and outputs and their shapes."""
    model = onnx.ModelProto()
    model.CopyFrom(found.batch.model)
    strip_notes(model)
    graph = model.graph
    del graph.value_info[:]  # they may contain another batch size; runtimes infer shapes again
    for one in heads:
        if one.kept is not None:
            add_output(graph, one.kept)
    for name, layout in found.layouts.items():
        fold_pixel_input(graph, layout, request.images[name])
    signature = _signature(found, heads, request)
    values = {one.tensor.name: _value(one.tensor) for one in signature.inputs}
    inputs = [values.get(one.name, one) for one in graph.input]
    del graph.input[:], graph.output[:]
    graph.input.extend(inputs)
    graph.output.extend(_value(one.tensor) for one in signature.outputs)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _value(tensor: TensorSpec) -> onnx.ValueInfoProto:
    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(tensor.dtype))
    return onnx.helper.make_tensor_value_info(tensor.name, kind, tensor.shape)


def _signature(found: _Examined, heads: list[HeadedOutput], request: TensorRequest) -> Signature:
    inputs = []
    for one in found.axes.inputs:
        if one.name in request.images:
            preprocessing = request.images[one.name]
            size = preprocessing.size
            pixels = TensorSpec(one.name, "uint8", ("n", size.height, size.width, 3))
            inputs.append(Input(pixels, preprocessing))
        else:
            inputs.append(Input(one, Kind(TENSOR)))
    return Signature(tuple(inputs), tuple(one.output for one in heads))


def _manifest(
    converted: ConvertedModel,
    request: TensorRequest,
    found: _Examined,
    heads: list[HeadedOutput],
    contents: Mapping[str, bytes],
) -> Manifest:
    scores = [one.apply(found.expected[one.source]) for one in heads if one.labels]
    tolerance = max(
        (tolerance_for(one.astype(np.float32), found.precision) for one in scores),
        default=_allowed(found.precision),
    )
    manifest = Manifest(
        name=request.name,
        description=request.description,
        signature=_signature(found, heads, request),
        onnx=OnnxVariant(ONNX_FILE, default_opset(found.batch.model)),
        pytorch=None,
        parameters=converted.parameters,
        golden=Golden(GOLDEN_FILE, count_rows(found.rows), tolerance, {}),
        files={file: hashlib.sha256(content).hexdigest() for file, content in contents.items()},
        licence=request.licence,
        source=request.source or converted.origin,
        created_by=f"sightline {__version__}",
        accuracy=request.accuracy,
        most_rows=found.batch.most_rows,
    )
    return Manifest.from_json(manifest.to_json(), "models add")  # run the reader's checks early
