"""Makes a bundle of a model of another framework, as an ONNX graph."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.api_add import add_model
from sightline.bundle.bundle import Bundle
from sightline.errors import WrongUseError
from sightline.plugins.direct_bundle import model_name
from sightline.plugins.model_options import ModelOptions
from sightline.plugins.session_folder import keep_bundle

if TYPE_CHECKING:
    from sightline.plugins.converting_plugin import ConvertingPlugin

_CHOICES = ("heads", "labels", "activation", "images", "ranges", "tensorflow_python", "signature")


def converted_bundle(plugin: ConvertingPlugin, m: object, options: ModelOptions) -> Path:
    """Convert a file or an object, and write the bundle into the process's temporary folder.

    Args:
        plugin: It decides which files and objects it takes.
        m: The model.
        options: See `ModelOptions`. Signature and golden rows come from the model; `inputs` and
            `example_inputs` are for a torch module, which does not state its inputs.

    Returns:
        The path of the bundle.

    Raises:
        WrongUseError: WRONG_MODEL_SOURCE, PATH_NOT_FOUND, or an error of `add_model`.
        SightlineError: An error of `add_model`.
    """
    if isinstance(m, str | Path):
        if not Path(m).exists():
            raise WrongUseError("PATH_NOT_FOUND", f"'{m}' (a model of plugin {plugin.name}).")
        if not plugin.takes_file(Path(m)):
            raise plugin.not_a_model(m)
    elif not plugin.takes(m):
        raise plugin.not_a_model(m)
    choices: dict[str, Any] = {name: options[name] for name in _CHOICES if name in options}  # type: ignore[literal-required]
    if not isinstance(options.get("outputs", {}), str | Mapping):
        choices["outputs"] = options["outputs"]  # names of values inside a graph
    examples = None if isinstance(m, str | Path) else plugin.examples(options)
    if examples is not None:
        choices["example_inputs"] = examples
    with tempfile.TemporaryDirectory(prefix="sightline-convert-") as folder:
        # Measured sizes vary. With them one model has several hashes, and is kept several times.
        path = add_model(m, model_name(m, options), models=folder, measure=False, **choices)
        return keep_bundle(Bundle.load(path))
