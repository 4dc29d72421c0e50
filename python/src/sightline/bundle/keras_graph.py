"""The ONNX graph of a Keras model, compared with what Keras predicts."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch

from sightline.backends.backend import Array
from sightline.bundle.converted_model import ConvertedModel
from sightline.bundle.golden import scaled_delta, tolerance_for
from sightline.bundle.graph import reduces_precision
from sightline.bundle.input_rows import FREE_LENGTHS, batch_rows, rows_of
from sightline.bundle.plain_graph import plain_graph, unique_names
from sightline.bundle.quiet_logs import quiet_framework
from sightline.errors import SightlineError, WrongUseError

_Values = dict[str, Array]


def convert_keras(keras: Any, model: Any, name: str) -> ConvertedModel:  # noqa: ANN401
    """Convert a model that runs on Keras's torch backend.

    Keras's own exporter traces the model with the length 1 for each free axis, so its graph can be
    wrong for other lengths. torch's exporter does not know every layer. Both are tried, and a graph
    is taken only if it gives Keras's values for two lengths of every free axis.

    Args:
        keras: The module.
        model: A `keras.Model`.
        name: Its name in messages and in `origin`.

    Raises:
        WrongUseError: FIXED_BATCH or NOT_FINITE.
        SightlineError: EXPORT_FAILED.
    """
    run = _Model(keras, model, name)
    golden = run.golden()
    inputs, outputs = golden
    cases = [golden, *run.other_lengths(inputs)]
    exporters: list[Callable[[], onnx.ModelProto]] = [
        lambda: _export_by_keras(model),
        lambda: _export_by_torch(run, inputs),
    ]
    if run.free_axes:
        exporters.reverse()
    problems: list[SightlineError] = []
    for export in exporters:
        try:
            content, names = _graph(run, export, outputs, cases)
        except SightlineError as error:
            problems.append(error)
            continue
        return ConvertedModel(
            onnx=content,
            inputs=inputs,
            outputs=dict(zip(names, outputs.values(), strict=True)),
            origin=f"Keras {keras.__version__} (torch backend), {name}",
            parameters=int(model.count_params()),
        )
    raise problems[-1] if run.free_axes else problems[0]  # Keras's own exporter


def keras_words(error: Exception) -> str:
    """Return the beginning of the error's message, in one line."""
    return (" ".join(str(error).split())[:300] or type(error).__name__).rstrip(".")


def no_keras_export(name: str, reason: str) -> SightlineError:
    """Return the error for a model without an ONNX form."""
    return SightlineError("EXPORT_FAILED", f"Keras cannot export '{name}' to ONNX: {reason}.")


def keras_outputs(keras: Any, result: object) -> list[str]:  # noqa: ANN401
    """Return the names of a model's outputs: the keys of its result, `output`, or `output_0`, …."""
    paths = ("_".join(map(str, path)) for path, _ in keras.tree.flatten_with_path(result))
    names = [f"output_{one}" if one.isdecimal() else one or "output" for one in paths]
    return unique_names(names)


class _Model:
    """A model with the names and shapes of its inputs, which a class of its own has from calls."""

    def __init__(self, keras: Any, model: Any, name: str) -> None:  # noqa: ANN401
        self.keras, self.model, self.name = keras, model, name
        declared = getattr(model, "inputs", None) or self._recorded()
        self.dtypes = {one.name: str(one.dtype) for one in declared}
        self.shapes: dict[str, list[int | None]] = {one.name: list(one.shape) for one in declared}
        self.free_axes = [
            f"{key}: axis {at}"
            for key, shape in self.shapes.items()
            for at, axis in enumerate(shape)
            if at > 0 and axis is None
        ]
        try:
            self.rows = batch_rows(self.shapes)
        except ValueError as error:
            raise WrongUseError(
                "FIXED_BATCH", f"'{name}': {error}. Build it by keras.Input without batch_size."
            ) from error

    def _recorded(self) -> list[Any]:
        recorded = self.model.get_build_config() or {}
        shapes = recorded.get("shapes_dict") or {"input_0": recorded.get("input_shape")}
        if not self.model.built or None in shapes.values():
            raise no_keras_export(
                self.name, "its inputs are unknown, because it was never called. Call it once"
            )
        return [
            self.keras.InputSpec(
                shape=(None, *shape[1:]), dtype=self.model.input_dtype, name=f"input_{at}"
            )
            for at, shape in enumerate(shapes.values())
        ]

    def structured(self, values: Sequence[Any]) -> Any:  # noqa: ANN401
        """Return the values in the form that the model takes: one, a list, or by name."""
        structure = getattr(self.model, "_inputs_struct", None)
        if structure is None:
            return values[0] if len(values) == 1 else list(values)
        return self.keras.tree.pack_sequence_as(structure, values)

    def inputs(self, lengths: Iterator[int]) -> _Values:
        return {
            key: rows_of(
                key,
                self.dtypes[key],
                [self.rows, *(axis or next(lengths) for axis in shape[1:])],
            )
            for key, shape in self.shapes.items()
        }

    def predict(self, inputs: Mapping[str, Array]) -> _Values:
        """Return the outputs of Keras's own `predict`, by name."""
        with quiet_framework():
            result = self.model.predict(self.structured(list(inputs.values())), verbose=0)
        values = [np.ascontiguousarray(value) for value in self.keras.tree.flatten(result)]
        return dict(zip(keras_outputs(self.keras, result), values, strict=True))

    def golden(self) -> tuple[_Values, _Values]:
        """Return test values and what Keras predicts for them."""
        problems: list[SightlineError] = []
        for length in FREE_LENGTHS:
            inputs = self.inputs(_repeat(length))
            try:
                outputs = self._try(inputs)
            except SightlineError as error:
                problems.append(error)
                continue
            for key, value in outputs.items():
                if value.ndim == 0 or len(value) != self.rows:
                    raise no_keras_export(self.name, f"its output '{key}' has no batch axis")
                if value.dtype.kind == "f" and np.isnan(value).any():
                    raise WrongUseError(
                        "NOT_FINITE", f"'{self.name}' gives NaN in its output '{key}'."
                    )
            return inputs, outputs
        raise problems[0]

    def other_lengths(self, inputs: Mapping[str, Array]) -> list[tuple[_Values, _Values]]:
        """Return values of other lengths with what Keras predicts, if it accepts such lengths."""
        fewer = {key: value[: max(1, self.rows - 1)] for key, value in inputs.items()}
        found = [(fewer, self._try(fewer))]
        if self.free_axes:
            longest = max(max(value.shape[1:], default=1) for value in inputs.values())
            for lengths in (_count(longest + 3, 2), _repeat(2 * longest)):
                other = self.inputs(lengths)
                try:
                    found.append((other, self._try(other)))
                except SightlineError:  # such as two inputs of the same length, or multiples of 32
                    continue
                break
        return found

    def _try(self, inputs: Mapping[str, Array]) -> _Values:
        try:
            return self.predict(inputs)
        except Exception as error:  # the model's layers run here, and can raise anything
            raise no_keras_export(self.name, keras_words(error)) from error


def _repeat(length: int) -> Iterator[int]:
    while True:
        yield length


def _count(length: int, step: int) -> Iterator[int]:
    while True:
        yield length
        length += step


def _export_by_keras(model: Any) -> onnx.ModelProto:  # noqa: ANN401
    with tempfile.TemporaryDirectory(prefix="sightline-keras-") as folder:
        file = Path(folder) / "model.onnx"
        model.export(file, format="onnx", verbose=False)
        return onnx.load(file)


class _Flat(torch.nn.Module):
    """A model that takes its inputs one after the other."""

    def __init__(self, run: _Model) -> None:
        super().__init__()
        self.run = run
        self.inner = run.model

    def forward(self, *values: torch.Tensor) -> Any:  # noqa: ANN401
        result = self.inner(self.run.structured(values), training=False)
        return tuple(self.run.keras.tree.flatten(result))


def _export_by_torch(run: _Model, inputs: Mapping[str, Array]) -> onnx.ModelProto:
    free = torch.export.Dim.DYNAMIC
    shapes = [
        {at: free for at, axis in enumerate(shape) if axis is None} for shape in run.shapes.values()
    ]
    with torch.no_grad():
        program = torch.onnx.export(
            _Flat(run).eval(),
            tuple(torch.from_numpy(value) for value in inputs.values()),
            dynamo=True,
            dynamic_shapes=(tuple(shapes),),
            external_data=False,
            input_names=list(inputs),
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch returned no ONNX program")
    return program.model_proto


def _graph(
    run: _Model,
    export: Callable[[], onnx.ModelProto],
    outputs: _Values,
    cases: Sequence[tuple[_Values, _Values]],
) -> tuple[bytes, list[str]]:
    """Return the graph of one exporter and the names of its outputs, if its values are Keras's."""
    try:
        with quiet_framework():
            graph = export()
        content, names = plain_graph(_with_lengths(graph, run, outputs), list(outputs))
        problem = _difference(content, names, cases)
    except Exception as error:  # the exporters' errors vary with the layer
        raise no_keras_export(run.name, keras_words(error)) from error
    if problem and run.free_axes:
        free = ", ".join(run.free_axes)
        problem += f". Give its free axes ({free}) fixed lengths in keras.Input"
    if problem:
        raise no_keras_export(run.name, problem)
    return content, names


def _with_lengths(
    graph: onnx.ModelProto, run: _Model, outputs: Mapping[str, Array]
) -> onnx.ModelProto:
    """Set the lengths that Keras knows and its exporter has lost."""
    declared = [list(one.shape) for one in getattr(run.model, "outputs", None) or []]
    shapes = dict(zip(outputs, declared, strict=False)) if len(declared) == len(outputs) else {}
    pairs = [
        *((one, run.shapes.get(one.name)) for one in graph.graph.input),
        *zip(graph.graph.output, shapes.values(), strict=False),
    ]
    for value, shape in pairs:
        for axis, length in zip(value.type.tensor_type.shape.dim, shape or [], strict=False):
            if length is not None:
                axis.dim_value = length
    return graph


def _difference(
    content: bytes, names: Sequence[str], cases: Sequence[tuple[_Values, _Values]]
) -> str:
    """Return how onnxruntime's values differ from Keras's; empty if they do not."""
    precision = "half" if reduces_precision(onnx.load_from_string(content)) else "single"
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    for inputs, outputs in cases:
        found = session.run(list(names), inputs)
        for key, value, expected in zip(names, found, outputs.values(), strict=True):
            delta = scaled_delta(value, expected)
            if delta > tolerance_for(np.ones(1, np.float32), precision):
                shapes = ", ".join(f"{name} {value.shape}" for name, value in inputs.items())
                return f"the graph's '{key}' differs from Keras's by {delta:.3g} for {shapes}"
    return ""
