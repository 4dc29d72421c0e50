"""Converts a file or an object of any framework that `models add` knows to an ONNX graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sightline.bundle.converted_model import ConvertedModel
from sightline.bundle.tensor_request import TensorRequest
from sightline.errors import WrongUseError
from sightline.require_package import require_package
from sightline.wrong_option import invalid_option

_PURPOSE = "adding a model"
_ONNX = ("onnx", "onnxruntime")


def convert_file(
    kind: str,
    source: Path,
    request: TensorRequest,
    python: Path | None = None,
    signature: str = "",
) -> ConvertedModel:
    """Convert a model's file. The converter is imported here, because it imports its framework.

    Args:
        kind: "onnx", "torch_export", "keras", "saved_model" or "sklearn".
        source: The file; a folder for "saved_model".
        request: Inner outputs, ranges and images of an ONNX file.
        python: An interpreter with TensorFlow, for "saved_model". See `from_saved_model`.
        signature: The signature of a "saved_model".

    Raises:
        WrongUseError: MISSING_PACKAGE, or an error of the converter.
        SightlineError: An error of the converter.
    """
    if kind == "onnx":
        _require(install="sightline[add,cpu]")
        from sightline.bundle.from_onnx import from_onnx

        return from_onnx(source, request.outputs, request.ranges, request.images)
    _require_no_ranges(request)
    if kind == "torch_export":
        _require("torch", "onnxscript", install="sightline[add,cpu,torch]")
        from sightline.bundle.from_torch_export import from_torch_export

        return from_torch_export(source)
    if kind == "keras":
        _require("torch", "onnxscript", "keras", install="sightline[add,cpu,keras]")
        from sightline.bundle.from_keras import from_keras

        return from_keras(source)
    if kind == "saved_model":
        _require(install="sightline[add,cpu]")
        from sightline.bundle.from_saved_model import from_saved_model

        return from_saved_model(source, python, signature)
    _require("sklearn", "skl2onnx", "skops", install="sightline[add,cpu,sklearn]")
    from sightline.bundle.from_sklearn import from_sklearn

    return from_sklearn(source)


def convert_weights(
    weights: Path, architecture: str, arguments: Mapping[str, object], examples: Sequence[str]
) -> ConvertedModel:
    """Convert weights and a named architecture of torch that does not take one image.

    Args:
        weights: See `read_weights`.
        architecture: See `build_architecture`. Code of any package is allowed here.
        arguments: Keyword arguments of the architecture.
        examples: Descriptions of the inputs, in the order of the network's `forward`. See
            `read_example`.

    Raises:
        WrongUseError: INVALID_OPTION, MISSING_PACKAGE, or an error of `from_torch_weights`.
        SightlineError: EXPORT_FAILED.
    """
    _require("torch", "onnxscript", install="sightline[add,cpu,torch]")
    from sightline.bundle.example_input import read_example
    from sightline.bundle.from_torch_export import from_torch_weights

    inputs = [read_example(one) for one in examples]
    return from_torch_weights(weights, architecture, arguments, inputs)


def convert_object(
    source: object,
    request: TensorRequest,
    example_inputs: Any = None,  # noqa: ANN401 - a converter's own type
    initial_types: Any = None,  # noqa: ANN401 - skl2onnx's own type
) -> ConvertedModel:
    """Convert a model in memory: of onnx, torch, keras or scikit-learn.

    Args:
        source: An onnx.ModelProto, a torch.nn.Module or program of torch.export, a Keras model,
            or a scikit-learn estimator.
        request: See `convert_file`.
        example_inputs: For a torch module; see `from_torch_module`.
        initial_types: For an estimator with several inputs; see `from_sklearn`.

    Raises:
        WrongUseError: UNKNOWN_SOURCE for another type, NO_SOURCE for a state dict or a torch module
            without examples, MISSING_PACKAGE, or an error of the converter.
        SightlineError: An error of the converter.
    """
    packages = {one.__module__.partition(".")[0] for one in type(source).__mro__}
    if "onnx" not in packages:
        _require_no_ranges(request)
    # A Keras model of the torch backend is a torch module too.
    if "keras" in packages:
        _require("torch", "onnxscript", install="sightline[add,cpu,keras]")
        from sightline.bundle.from_keras import from_keras

        return from_keras(source)
    if "torch" in packages:
        return _from_torch(source, example_inputs)
    if "sklearn" in packages:
        _require("skl2onnx", install="sightline[add,cpu,sklearn]")
        from sightline.bundle.from_sklearn import from_sklearn

        return from_sklearn(source, initial_types)
    if "onnx" in packages:
        _require(install="sightline[add,cpu]")
        from sightline.bundle.from_onnx import from_onnx, require_model

        return from_onnx(require_model(source), request.outputs, request.ranges, request.images)
    if isinstance(source, Mapping):
        raise _state_dict()
    raise WrongUseError(
        "UNKNOWN_SOURCE",
        f"a {type(source).__module__}.{type(source).__qualname__} is not a model that can be added."
        " Known: a path, an onnx.ModelProto, a torch.nn.Module, a keras.Model and a scikit-learn "
        "estimator.",
    )


def _from_torch(source: object, example_inputs: Any) -> ConvertedModel:  # noqa: ANN401
    _require("torch", "onnxscript", install="sightline[add,cpu,torch]")
    import torch

    from sightline.bundle.exported_program import convert_program
    from sightline.bundle.from_torch_export import from_torch_module

    if isinstance(source, torch.export.ExportedProgram):
        return convert_program(source, "program in memory")
    if not isinstance(source, torch.nn.Module):
        raise _state_dict()
    if example_inputs is None:
        raise WrongUseError(
            "NO_SOURCE",
            f"a {type(source).__name__} of torch does not state its inputs. Give example_inputs, "
            "such as (torch.zeros(1, 4),).",
        )
    return from_torch_module(source, example_inputs)


def _state_dict() -> WrongUseError:
    return WrongUseError(
        "NO_SOURCE",
        "a state dict holds the numbers of a model without its code. Give the module, or add the "
        "file with `sightline models add NAME --weights FILE --architecture NAME`.",
    )


def _require_no_ranges(request: TensorRequest) -> None:
    """Raise an error for ranges of a model whose test values its converter chooses.

    Raises:
        WrongUseError: INVALID_OPTION.
    """
    if request.ranges:
        rule = "Only a model of ONNX takes ranges: leave them out."
        raise invalid_option("--range", ", ".join(request.ranges), rule)


def _require(*packages: str, install: str) -> None:
    require_package(*packages, *_ONNX, install=install, purpose=_PURPOSE)
