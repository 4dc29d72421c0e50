"""Converts a program of torch.export: its ONNX graph, test values, and torch's own results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.export import ExportedProgram
from torch.export.graph_signature import ConstantArgument, InputKind, OutputKind, TensorArgument
from torch.utils import _pytree as pytree

from sightline.backends.backend import Array
from sightline.bundle.converted_model import ConvertedModel
from sightline.bundle.input_rows import FREE_LENGTHS, batch_rows, rows_of
from sightline.bundle.plain_graph import plain_graph, unique_names
from sightline.bundle.quiet_logs import quiet_framework
from sightline.errors import SightlineError, WrongUseError

_ALIKE = 1e-2  # largest |difference| of a row in a batch of four and in a batch of two


def convert_program(
    program: ExportedProgram, name: str, axes: Mapping[str, Sequence[int | str]] | None = None
) -> ConvertedModel:
    """Convert a network that torch.export has read.

    Args:
        program: Exported in evaluation mode. A free first axis of every input is the batch; a
            first axis of length 1 makes a model that runs row by row.
        name: Name of the network in messages and in `origin`.
        axes: Names of axes for some inputs; lengths are ignored.

    Raises:
        WrongUseError: BAD_MODEL_FILE, FIXED_BATCH or NOT_FINITE.
        SightlineError: EXPORT_FAILED.
    """
    shapes = _input_shapes(program, name)
    try:
        rows = batch_rows({key: shape for key, (_, shape) in shapes.items()})
    except ValueError as error:
        raise WrongUseError(
            "FIXED_BATCH",
            f"'{name}': {error}. Export it with a free first axis in every input: "
            'dynamic_shapes={"INPUT": {0: torch.export.Dim("n")}}.',
        ) from error
    inputs, outputs = _golden(program, shapes, rows, name)
    try:
        with quiet_framework():
            exported = torch.onnx.export(
                program,
                dynamo=True,
                external_data=False,
                input_names=list(inputs),
                verbose=False,
            )
    except Exception as error:  # the exporter's errors vary with the operator that it lacks
        raise no_export(name, first_words(error)) from error
    if exported is None:
        raise no_export(name, "it returned no ONNX program")
    graph, names = plain_graph(exported.model_proto, list(outputs), axes)
    return ConvertedModel(
        onnx=graph,
        inputs=inputs,
        outputs=dict(zip(names, outputs.values(), strict=True)),
        origin=f"torch {torch.__version__.partition('+')[0]}, {name}",
        parameters=sum(one.numel() for one in program.parameters()),
    )


def _input_shapes(
    program: ExportedProgram, name: str
) -> dict[str, tuple[torch.dtype, list[int | None]]]:
    """Return dtype and shape of each tensor that a user gives, with None for a free axis."""
    values = {node.name: node.meta.get("val") for node in program.graph.nodes}
    found: dict[str, tuple[torch.dtype, list[int | None]]] = {}
    for spec in program.graph_signature.input_specs:
        if spec.kind != InputKind.USER_INPUT or isinstance(spec.arg, ConstantArgument):
            continue
        value = values[spec.arg.name] if isinstance(spec.arg, TensorArgument) else None
        if not isinstance(value, torch.Tensor):
            raise WrongUseError(
                "BAD_MODEL_FILE",
                f"'{name}': its input '{spec.arg.name}' is not a tensor. Export the network with "
                "tensors as its only inputs.",
            )
        lengths: Sequence[object] = value.shape  # a free axis is a torch.SymInt
        axes = [axis if isinstance(axis, int) else None for axis in lengths]
        found[spec.arg.name] = (value.dtype, axes)
    return found


def _golden(
    program: ExportedProgram,
    shapes: Mapping[str, tuple[torch.dtype, list[int | None]]],
    rows: int,
    name: str,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return test values and torch's own outputs for them."""
    examples = _examples(program, list(shapes))
    reasons: list[SightlineError] = []
    for length in FREE_LENGTHS:
        inputs = {}
        for key, (dtype, axes) in shapes.items():
            example = examples.get(key)
            known = axes if example is None else example.shape
            lengths = [rows, *(axis or length for axis in known[1:])]
            highest = None
            if example is not None and not dtype.is_floating_point and example.numel():
                highest = int(example.max())
            inputs[key] = _values(key, dtype, lengths, highest, name)
        try:
            outputs = _run(program, inputs, name)
        except SightlineError as error:
            reasons.append(error)
            continue
        _require_rows(program, inputs, outputs, rows, name)
        return inputs, outputs
    raise reasons[0]


def _values(
    key: str, dtype: torch.dtype, shape: Sequence[int], highest: int | None, name: str
) -> Array:
    kind = str(dtype).removeprefix("torch.")
    try:
        return rows_of(key, kind, shape, highest)
    except TypeError as error:  # bfloat16 and complex numbers
        raise no_export(name, f"its input '{key}' is {kind}; cast it to float32") from error


def _examples(program: ExportedProgram, names: Sequence[str]) -> dict[str, torch.Tensor]:
    leaves = [] if not program.example_inputs else pytree.tree_leaves(program.example_inputs)
    tensors = [one for one in leaves if isinstance(one, torch.Tensor)]
    return dict(zip(names, tensors, strict=True)) if len(tensors) == len(names) else {}


def _run(program: ExportedProgram, inputs: Mapping[str, Array], name: str) -> dict[str, Array]:
    """Return the outputs of torch by name, in the order of the graph."""
    flat = []
    for spec in program.graph_signature.input_specs:
        if spec.kind == InputKind.USER_INPUT:
            constant = isinstance(spec.arg, ConstantArgument)
            flat.append(spec.arg.value if constant else torch.from_numpy(inputs[spec.arg.name]))
    args, kwargs = pytree.tree_unflatten(flat, program.call_spec.in_spec)
    try:
        with torch.inference_mode(), quiet_framework():
            result = program.module()(*args, **kwargs)
    except Exception as error:  # the network runs here, and can raise anything
        raise no_export(name, f"it does not run on test values: {first_words(error)}") from error
    paths = pytree.tree_flatten_with_path(result)[0]
    given = [
        spec.arg
        for spec in program.graph_signature.output_specs
        if spec.kind == OutputKind.USER_OUTPUT
    ]
    kept = [(path, value) for path, value in paths if isinstance(value, torch.Tensor)]
    if len(kept) != sum(isinstance(arg, TensorArgument) for arg in given):
        raise no_export(name, "some of its outputs are not tensors")
    names = unique_names([_output_name(path, len(kept)) for path, _ in kept])
    outputs = {}
    for key, (_, value) in zip(names, kept, strict=True):
        if value.dtype in (torch.bfloat16, torch.complex64, torch.complex128):
            kind = str(value.dtype).removeprefix("torch.")
            raise no_export(name, f"its output '{key}' is {kind}; cast it to float32")
        outputs[key] = value.contiguous().numpy()
        if value.is_floating_point() and np.isnan(outputs[key]).any():
            raise WrongUseError("NOT_FINITE", f"'{name}' gives NaN in its output '{key}'.")
    return outputs


def _output_name(path: Sequence[Any], count: int) -> str:
    """Return the name of an output: its key in the result, or its number."""
    parts = [
        str(getattr(one, "key", getattr(one, "name", getattr(one, "idx", "")))) for one in path
    ]
    if all(part.isdecimal() for part in parts):
        return "output" if count == 1 else "_".join(["output", *parts])
    return "_".join(parts)


def _require_rows(
    program: ExportedProgram,
    inputs: Mapping[str, Array],
    outputs: Mapping[str, Array],
    rows: int,
    name: str,
) -> None:
    """Refuse a network whose result for a row depends on the other rows, or on chance."""
    few = max(1, rows // 2)
    again = _run(program, {key: value[:few] for key, value in inputs.items()}, name)
    for key, value in outputs.items():
        if value.ndim == 0 or len(value) != rows or again[key].shape != (few, *value.shape[1:]):
            raise SightlineError(
                "EXPORT_FAILED",
                f"'{name}' has the output '{key}' of shape {value.shape} for {rows} rows. Every "
                "output needs the batch as its first axis.",
            )
        expected = value[:few].astype(np.float64)
        if not np.allclose(again[key], expected, atol=_ALIKE, rtol=_ALIKE, equal_nan=True):
            raise SightlineError(
                "EXPORT_FAILED",
                f"'{name}' gives other values of '{key}' for the same row in another batch, as "
                "dropout and batch normalisation do in training. Export it after network.eval().",
            )


def no_export(name: str, reason: str) -> SightlineError:
    """Return the error for a network without an ONNX form."""
    return SightlineError("EXPORT_FAILED", f"torch cannot export '{name}' to ONNX: {reason}.")


def first_words(error: Exception) -> str:
    """Return the beginning of the error's message, in one line."""
    return (" ".join(str(error).split())[:300] or type(error).__name__).rstrip(".")
