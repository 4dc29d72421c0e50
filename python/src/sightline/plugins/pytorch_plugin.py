"""The plugin of PyTorch: a module, an exported program, TorchScript, or a loader of a module."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

from sightline.backends.backend import Array
from sightline.bundle.example_input import ExampleInput
from sightline.errors import WrongUseError
from sightline.plugins.converting_plugin import ConvertingPlugin
from sightline.plugins.direct_bundle import example_arrays
from sightline.plugins.model_options import ModelOptions, require_options
from sightline.plugins.model_summary import Layer, ModelSummary
from sightline.plugins.tensor_text import read_tensors

_SCRIPT = "script.pt"


class PytorchPlugin(ConvertingPlugin):
    """Models of torch.

    A module, or a file of `torch.export.save` (``.pt2``), becomes an ONNX graph. A loader and a
    TorchScript file run in torch in the workers, which needs `allow_code`.
    """

    name = "pytorch"
    package = "torch"
    kinds = "a torch.nn.Module, a torch.export.ExportedProgram, a .pt2 file, a TorchScript file"
    suffixes = (".pt2",)

    def is_served(self, m: object) -> bool:
        """Whether the workers run torch for this model: a loader, or TorchScript."""
        if self.is_loader(m):
            return True
        self.require_framework()
        self._refuse_weights(m)
        return _is_script(m)

    def model_summary(self, m: object, **options: Unpack[ModelOptions]) -> ModelSummary:
        """See `Plugin.model_summary`. Output shapes need `example_inputs` for a module."""
        from sightline.plugins.torch_summary import module_summary, program_summary

        options = require_options(options, call=False)
        if self.is_served(m):
            return super().model_summary(m, **options)
        import torch

        name = options.get("name", "")
        if isinstance(m, torch.nn.Module):
            return module_summary(m, options.get("example_inputs"), name)
        if isinstance(m, str | Path) and Path(m).suffix == ".pt2":
            from sightline.bundle.from_torch_export import read_program

            return program_summary(read_program(Path(m)), name or Path(m).stem)
        if isinstance(m, torch.export.ExportedProgram):
            return program_summary(m, name or "program")
        raise self.not_a_model(m)

    def examples(self, options: ModelOptions) -> Any:  # noqa: ANN401
        """Return descriptions of `inputs`, whose axes may be free, or tensors of examples."""
        if "inputs" in options:
            return [
                ExampleInput(one.name, one.dtype, one.shape)
                for one in read_tensors(options["inputs"], "input")
            ]
        examples = options.get("example_inputs")
        arrays = example_arrays(examples, ())
        if not arrays:
            return None
        import torch

        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        return tensors if isinstance(examples, Mapping) else tuple(tensors.values())

    def save(self, m: Any, folder: Path) -> None:  # noqa: ANN401
        """Copy a TorchScript file, or write a scripted module."""
        if isinstance(m, str | Path):
            shutil.copyfile(m, folder / _SCRIPT)
        else:
            m.save(str(folder / _SCRIPT))

    def open(self, folder: Path) -> Any:  # noqa: ANN401
        """Load the TorchScript file."""
        import torch

        load: Any = torch.jit.load  # has no types
        return load(str(folder / _SCRIPT))

    def run(self, model: Any, inputs: Mapping[str, Array]) -> object:  # noqa: ANN401
        """Call the module with a tensor for each input, in evaluation mode."""
        import torch

        if isinstance(model, Mapping):
            raise WrongUseError(
                "WRONG_MODEL_SOURCE", _STATE_DICT.format("what the loader returned")
            )
        if getattr(model, "training", False):
            model.eval()
        with torch.inference_mode():
            found: object = model(*(torch.from_numpy(array) for array in inputs.values()))
        return found

    def layers(self, model: Any) -> Sequence[Layer]:  # noqa: ANN401
        """Return the modules without submodules."""
        from sightline.plugins.torch_summary import module_layers

        return module_layers(model)

    def _refuse_weights(self, m: object) -> None:
        """Raise an error for weights without a network, and for a pickled network."""
        if isinstance(m, Mapping):
            raise WrongUseError("WRONG_MODEL_SOURCE", _STATE_DICT.format("it"))
        if not isinstance(m, str | Path):
            return
        if not Path(m).is_file():
            raise WrongUseError("PATH_NOT_FOUND", f"'{m}' is no file.")
        if Path(m).suffix == ".safetensors":
            raise WrongUseError("WRONG_MODEL_SOURCE", _STATE_DICT.format(f"'{m}'"))
        if Path(m).suffix == ".pt2" or _is_script(m):
            return
        import torch

        try:
            torch.load(m, map_location="cpu", weights_only=True)
        except Exception as error:
            raise WrongUseError(
                "WRONG_MODEL_SOURCE",
                f"'{m}' is no TorchScript file, no .pt2 file and no weights. A whole module that "
                "torch.save wrote is a pickle, which can run any code: load it in a loader "
                "function of your own, or save the module with torch.export.save.",
            ) from error
        raise WrongUseError("WRONG_MODEL_SOURCE", _STATE_DICT.format(f"'{m}'"))


_STATE_DICT = (
    "{} is a state dict: weights without an architecture. Give the module with these weights, or a "
    "function that builds it and loads them; or use `sightline models add --weights FILE "
    "--architecture NAME`."
)


def _is_script(m: object) -> bool:
    if type(m).__module__.startswith("torch.jit"):
        return True
    if not isinstance(m, str | Path) or not zipfile.is_zipfile(m):
        return False
    with zipfile.ZipFile(m) as archive:
        parts = [name.split("/") for name in archive.namelist()]
    return any(len(one) > 2 and one[1] == "code" for one in parts)
