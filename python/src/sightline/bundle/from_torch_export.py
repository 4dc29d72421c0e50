"""Converts a network of torch: a file of torch.export, a module, or weights and an architecture."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.export import ExportedProgram

from sightline.backends.architecture import build_architecture, load_weights
from sightline.bundle.class_count import with_class_count
from sightline.bundle.converted_model import ConvertedModel
from sightline.bundle.example_input import ExampleInput
from sightline.bundle.exported_program import convert_program, first_words, no_export
from sightline.bundle.input_rows import FREE_LENGTHS, rows_of
from sightline.bundle.pt2_archive import TORCHSCRIPT, bad_file, require_plain_archive
from sightline.bundle.quiet_logs import quiet_framework
from sightline.bundle.weights import read_weights
from sightline.errors import SightlineError, WrongUseError

_LARGEST = 1_000_000  # the longest free axis, in export
_Named = Mapping[str, torch.Tensor | ExampleInput]
Examples = Sequence[torch.Tensor] | Sequence[ExampleInput] | _Named


def from_torch_export(path: Path) -> ConvertedModel:
    """Convert a .pt2 file of torch.export.save.

    Nothing of the file is unpickled but tensors. See `require_plain_archive`.

    Raises:
        WrongUseError: BAD_MODEL_FILE for TorchScript or a damaged file; NO_SOURCE for weights
            alone; UNSAFE_MODEL; FIXED_BATCH; NOT_FINITE.
        SightlineError: EXPORT_FAILED.
    """
    return convert_program(read_program(path), path.name)


def read_program(path: Path) -> ExportedProgram:
    """Read a .pt2 file of torch.export.save that contains no code.

    Raises:
        WrongUseError: BAD_MODEL_FILE, NO_SOURCE or UNSAFE_MODEL.
    """
    require_plain_archive(path)
    try:
        with quiet_framework():
            return torch.export.load(path)
    except Exception as error:  # torch's own errors for another version of the format vary
        raise bad_file(
            path, f"torch {torch.__version__} cannot read it: {first_words(error)}"
        ) from error


def from_torch_module(
    module: torch.nn.Module, examples: Examples, name: str = ""
) -> ConvertedModel:
    """Convert a module in memory, in evaluation mode. Its mode is restored.

    Args:
        module: A network of tensors.
        examples: Its inputs: tensors, whose first axis is the batch and whose other axes keep
            their length, in the order of `forward` or by the names of its parameters; or
            descriptions, whose named axes may have any length.
        name: Name for `origin`; by default the class of the module.

    Raises:
        WrongUseError: BAD_MODEL_FILE for TorchScript; INVALID_OPTION, FIXED_BATCH or NOT_FINITE.
        SightlineError: EXPORT_FAILED.
    """
    named = name or type(module).__name__
    if isinstance(module, torch.jit.ScriptModule):
        raise bad_file(Path(named), TORCHSCRIPT)
    given = _by_parameter(module, examples)
    axes = {key: one.shape for key, one in given.items() if isinstance(one, ExampleInput)}
    training = module.training
    module.eval()
    try:
        return convert_program(_export(module, given, named), named, axes)
    finally:
        module.train(training)


def from_torch_weights(
    weights: Path,
    architecture: str,
    arguments: Mapping[str, object],
    examples: Sequence[ExampleInput],
) -> ConvertedModel:
    """Convert weights and a named architecture, as `read_torch` does for images.

    Args:
        weights: See `read_weights`.
        architecture: See `build_architecture`. Code of any package is allowed here.
        arguments: Keyword arguments of the architecture. `num_classes` is read from the weights.
        examples: The inputs, by the names of the parameters of the network's `forward`.

    Raises:
        WrongUseError: BAD_WEIGHTS, UNSAFE_WEIGHTS, UNKNOWN_ARCHITECTURE, BAD_ARCHITECTURE,
            WEIGHTS_MISMATCH, INVALID_OPTION, FIXED_BATCH or NOT_FINITE.
        SightlineError: EXPORT_FAILED.
    """
    tensors = read_weights(weights)
    network = build_architecture(architecture, arguments, allow_code=True)
    counted = with_class_count(architecture, arguments, network.state_dict(), tensors)
    if counted != dict(arguments):
        network = build_architecture(architecture, counted, allow_code=True)
    load_weights(network, tensors, architecture)
    return from_torch_module(network, examples, f"{architecture}, {weights.name}")


def _by_parameter(module: torch.nn.Module, examples: Examples) -> _Named:
    """Return the examples by the names of forward's parameters.

    Raises:
        WrongUseError: INVALID_OPTION if there is no such parameter.
    """
    parameters = inspect.signature(module.forward).parameters
    named: dict[str, torch.Tensor | ExampleInput] = {}
    if isinstance(examples, Mapping):
        named.update(examples)
    else:
        for place, one in zip(parameters, list[Any](examples), strict=False):
            named[one.name if isinstance(one, ExampleInput) else place] = one
    free = any(one.kind == one.VAR_KEYWORD for one in parameters.values())
    for key in named:
        if key not in parameters and not free:
            raise WrongUseError(
                "INVALID_OPTION",
                f"--example is '{key}=…'. The network's inputs: {', '.join(parameters)}.",
            )
    return named


def _export(module: torch.nn.Module, examples: _Named, name: str) -> ExportedProgram:
    """Export with a free batch axis, or with a batch of 1 if the network fixes it."""
    try:
        return _export_rows(module, examples, name, rows=2)
    except SightlineError:
        with contextlib.suppress(SightlineError):
            return _export_rows(module, examples, name, rows=1)
        raise


def _export_rows(
    module: torch.nn.Module, examples: _Named, name: str, rows: int
) -> ExportedProgram:
    batch = {0: torch.export.Dim("n", min=1, max=_LARGEST)} if rows > 1 else {}
    values = {key: _rows(one, rows) for key, one in examples.items()}
    dynamic = {key: batch | _free_axes(one) for key, one in examples.items()}
    try:
        with quiet_framework():
            return torch.export.export(module, (), values, dynamic_shapes=dynamic, strict=False)
    except Exception as error:  # the network's own code runs here, and can raise anything
        raise no_export(name, first_words(error)) from error


def _free_axes(example: torch.Tensor | ExampleInput) -> dict[int, Any]:
    """Return the free axes of a row. torch takes equal names for one length."""
    axes = example.shape if isinstance(example, ExampleInput) else ()
    return {
        at: torch.export.Dim(axis, min=1, max=_LARGEST)
        for at, axis in enumerate(axes)
        if at > 0 and isinstance(axis, str)
    }


def _rows(example: torch.Tensor | ExampleInput, rows: int) -> torch.Tensor:
    if isinstance(example, ExampleInput):
        lengths = [axis if isinstance(axis, int) else FREE_LENGTHS[1] for axis in example.shape[1:]]
        return torch.from_numpy(rows_of(example.name, example.dtype, (rows, *lengths)))
    return torch.cat([example] * rows)[:rows].detach().cpu()
