"""Makes a bundle of a model of another framework, as an ONNX graph."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.backends.named_arrays import is_torch_object
from sightline.bundle.add_tensors import add_tensors
from sightline.bundle.convert import convert_file, convert_object
from sightline.bundle.converted_model import ConvertedModel
from sightline.bundle.example_input import ExampleInput
from sightline.bundle.tensor_request import TensorRequest
from sightline.errors import WrongUseError
from sightline.plugins.direct_bundle import example_arrays, model_name
from sightline.plugins.options import ModelOptions
from sightline.plugins.session_folder import keep_bundle
from sightline.plugins.tensor_text import read_tensors

if TYPE_CHECKING:
    from sightline.plugins.converting_plugin import ConvertingPlugin


def converted_bundle(plugin: ConvertingPlugin, m: object, options: ModelOptions) -> Path:
    """Convert a file or an object, and write the bundle into the process's temporary folder.

    Args:
        plugin: Its `file_kind` says how a file is read.
        m: The model.
        options: See `ModelOptions`. Signature and golden rows come from the model; `inputs` and
            `example_inputs` are for a torch module, which does not state its inputs.

    Returns:
        The path of the bundle.

    Raises:
        WrongUseError: WRONG_MODEL_SOURCE, PATH_NOT_FOUND, or an error of the converter.
        SightlineError: An error of the converter.
    """
    request = TensorRequest(
        name=model_name(m, options),
        heads=dict(options.get("heads", {})),
        labels={"": tuple(options["labels"])} if "labels" in options else {},
        activation=options.get("activation", "auto"),
    )
    converted = _converted(plugin, m, options, request)
    with tempfile.TemporaryDirectory(prefix="sightline-convert-") as folder:
        bundle = add_tensors(converted, request, Path(folder)).bundle
        return keep_bundle(bundle)


def _converted(
    plugin: ConvertingPlugin, m: object, options: ModelOptions, request: TensorRequest
) -> ConvertedModel:
    if isinstance(m, str | Path):
        path = Path(m)
        if not path.exists():
            raise WrongUseError("PATH_NOT_FOUND", f"'{path}' (a model of plugin {plugin.name}).")
        python = options.get("python")
        return convert_file(plugin.file_kind, path, request, Path(python) if python else None)
    if not plugin.takes(m):
        raise plugin.not_a_model(m)
    if is_torch_object(m):
        return convert_object(m, request, example_inputs=_torch_inputs(options))
    return convert_object(m, request)


def _torch_inputs(options: ModelOptions) -> Any:  # noqa: ANN401 - what from_torch_module takes
    """Return the examples of a torch module: descriptions with free axes, or tensors."""
    if "inputs" in options:
        return [
            ExampleInput(one.name, one.dtype, one.shape)
            for one in read_tensors(options["inputs"], "input")
        ]
    arrays = example_arrays(options.get("example_inputs"), ())
    if not arrays:
        return None
    import torch

    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    return tensors if isinstance(options.get("example_inputs"), dict) else tuple(tensors.values())
