"""The summaries of a torch module and of an exported program."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, OutputKind

from sightline.backends.named_arrays import named_arrays
from sightline.bundle.tensor_spec import TensorSpec
from sightline.errors import WrongUseError
from sightline.plugins.direct_bundle import example_arrays
from sightline.plugins.model_summary import Layer, ModelSummary


def module_summary(module: torch.nn.Module, examples: object, name: str = "") -> ModelSummary:
    """Return the summary of a module.

    Args:
        module: Any module.
        examples: Example inputs, as in `ModelOptions`. Without them, neither the tensors nor the
            output shapes of layers are known.
        name: Name of the model; its class by default.

    Raises:
        WrongUseError: INVALID_OPTION if the module cannot run with the examples.
    """
    arrays = example_arrays(examples, ())
    shapes: dict[str, str] = {}
    outputs: tuple[TensorSpec, ...] = ()
    if arrays:
        rows = len(next(iter(arrays.values())))
        try:
            tensors = [torch.from_numpy(one) for one in arrays.values()]
            found = _run_with_hooks(module, tensors, shapes)
        except Exception as error:  # the module's own code runs here
            given = ", ".join(f"{one.dtype} {one.shape}" for one in arrays.values())
            reason = " ".join(str(error).split())[:300].rstrip(".")
            raise WrongUseError(
                "INVALID_OPTION",
                f"{type(module).__name__} cannot run with example_inputs ({given}): "
                f"{type(error).__name__}: {reason}.",
            ) from error
        named = named_arrays(found, rows)
        outputs = tuple(
            TensorSpec(key, str(one.dtype), ("n", *one.shape[1:])) for key, one in named.items()
        )
    layers = tuple(
        Layer(one.name, one.kind, shapes.get(one.name, ""), one.parameters)
        for one in module_layers(module)
    )
    return ModelSummary(
        name or type(module).__name__,
        f"torch {torch.__version__.partition('+')[0]}, {type(module).__name__}",
        sum(one.numel() for one in module.parameters()),
        tuple(TensorSpec(k, str(one.dtype), ("n", *one.shape[1:])) for k, one in arrays.items()),
        outputs,
        layers,
    )


def module_layers(module: object) -> tuple[Layer, ...]:
    """Return the modules without submodules; none if it is no module."""
    if not isinstance(module, torch.nn.Module):
        return ()
    return tuple(
        Layer(
            name or type(one).__name__,
            getattr(one, "original_name", type(one).__name__),
            "",
            sum(weights.numel() for weights in one.parameters(recurse=False)),
        )
        for name, one in module.named_modules()
        if not list(one.children())
    )


def program_summary(program: ExportedProgram, name: str) -> ModelSummary:
    """Return the summary of a program; a free axis has its symbol's name, the first is ``n``."""
    signature = program.graph_signature
    values = {node.name: node.meta.get("val") for node in program.graph.nodes}
    inputs = [one.arg.name for one in signature.input_specs if one.kind == InputKind.USER_INPUT]
    outputs = [one.arg.name for one in signature.output_specs if one.kind == OutputKind.USER_OUTPUT]
    sizes = {
        spec.arg.name: value.numel()
        for spec in signature.input_specs
        if spec.kind == InputKind.PARAMETER and (value := values.get(spec.arg.name)) is not None
    }
    layers = tuple(
        Layer(
            node.name,
            str(node.target),
            _shape_text(values[node.name]),
            sum(sizes.get(getattr(one, "name", ""), 0) for one in node.args),
        )
        for node in program.graph.nodes
        if node.op == "call_function"
    )
    return ModelSummary(
        name,
        f"torch {torch.__version__.partition('+')[0]}, exported program",
        sum(one.numel() for one in program.parameters()),
        tuple(_tensor(one, values[one]) for one in inputs),
        tuple(_tensor(one, values[one]) for one in outputs),
        layers,
    )


def _run_with_hooks(
    module: torch.nn.Module, tensors: list[torch.Tensor], shapes: dict[str, str]
) -> object:
    """Run the module and note the output shape of each layer."""

    def note(name: str) -> Any:  # noqa: ANN401
        def hook(_module: object, _inputs: object, output: object) -> None:
            if isinstance(output, torch.Tensor):
                shapes[name] = f"({', '.join(['n', *map(str, output.shape[1:])])})"

        return hook

    was_training = module.training
    hooks = [
        one.register_forward_hook(note(name or type(one).__name__))
        for name, one in module.named_modules()
        if not list(one.children())
    ]
    try:
        with torch.inference_mode():
            return module.eval()(*tensors)
    finally:
        module.train(was_training)
        for one in hooks:
            one.remove()


def _tensor(name: str, value: torch.Tensor) -> TensorSpec:
    dtype = str(value.dtype).removeprefix("torch.")
    return TensorSpec(name, np.dtype(dtype).name if dtype != "bfloat16" else dtype, _shape(value))


def _shape(value: torch.Tensor) -> tuple[int | str, ...]:
    sizes: list[object] = list(value.shape)  # a free axis is a SymInt
    axes = [axis if isinstance(axis, int) else str(axis) for axis in sizes]
    return tuple("n" if at == 0 and isinstance(axis, str) else axis for at, axis in enumerate(axes))


def _shape_text(value: object) -> str:
    return f"({', '.join(map(str, _shape(value)))})" if isinstance(value, torch.Tensor) else ""
