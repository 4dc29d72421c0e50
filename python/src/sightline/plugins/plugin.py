"""The base class of plugins."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, Unpack, cast

from sightline.backends.backend import Array
from sightline.backends.python import call_loader, loader_failed
from sightline.errors import SightlineError, WrongUseError
from sightline.plugins.model_options import CallOptions, ModelOptions, require_options
from sightline.plugins.model_summary import Layer, ModelSummary

if TYPE_CHECKING:
    from sightline.plugins.spark import ModelFunction


class Plugin:
    """Models of one framework in Spark.

    A subclass that defines `open` and `run` (and `save`, if a model can be an object in memory)
    serves its framework directly in the workers. This class has no state: a worker makes a plugin
    by calling its class without arguments.

    `m` in the methods is an object in memory, a file or folder, or a loader: a function that
    returns the model, and runs once in each worker process.
    """

    def model(self, m: object, **options: Unpack[CallOptions]) -> Any:  # noqa: ANN401
        """Return a Spark ML model: a `TensorTransformer` of `sightline.ml`.

        A model of one image gives an `ImagePredictor` or `ImageFeaturizer`.

        Raises:
            WrongUseError: See `docs/plugins.md`.
        """
        from sightline.plugins.spark import stage

        options = require_options(options, call=True)
        return stage(self.bundle(m, **_of_model(options)), options)

    def model_udf(self, m: object, **options: Unpack[CallOptions]) -> ModelFunction:
        """Return a function of columns: ``classify(col("a"), col("b"))``.

        Raises:
            WrongUseError: See `docs/plugins.md`.
        """
        from sightline.plugins.spark import ModelFunction

        options = require_options(options, call=True)
        return ModelFunction.of(self.bundle(m, **_of_model(options)), options)

    def model_summary(self, m: object, **options: Unpack[ModelOptions]) -> ModelSummary:
        """Return the parameters, the tensors and the layers of a model.

        Raises:
            WrongUseError: See `docs/plugins.md`.
        """
        from sightline.bundle.bundle import Bundle

        options = require_options(options, call=False)
        manifest = Bundle.load(self.bundle(m, **options)).manifest
        model = self.loaded(m)
        layers = tuple(self.layers(model))
        return ModelSummary(
            manifest.name,
            f"{type(model).__module__.partition('.')[0]} {type(model).__name__}",
            sum(one.parameters for one in layers) if layers else None,
            tuple(one.tensor for one in manifest.signature.inputs),
            tuple(one.tensor for one in manifest.signature.outputs),
            layers,
        )

    def bundle(self, m: object, **options: Unpack[ModelOptions]) -> Path:
        """Write the model as a bundle into a temporary folder, and return its path.

        CREATE MODEL and `sightline models` take the path as well.

        Raises:
            WrongUseError: See `docs/plugins.md`.
        """
        from sightline.plugins.direct_bundle import direct_bundle

        options = require_options(options, call=False)
        return direct_bundle(self, m, options)

    def save(self, m: Any, folder: Path) -> None:  # noqa: ANN401
        """Write a model into an empty folder, as plain files. By default it copies a file.

        Args:
            m: An object, or the path of a file or folder.
            folder: Where to write. The names must not have slashes.

        Raises:
            WrongUseError: WRONG_MODEL_SOURCE.
        """
        path = Path(m) if isinstance(m, str | Path) else None
        if path is None or not path.exists():
            what = f"'{m}' does not exist" if path else f"it takes no {type(m).__name__}"
            raise WrongUseError(
                "WRONG_MODEL_SOURCE",
                f"plugin {type(self).__name__} cannot make a model: {what}. Give a file, or a "
                "function that returns the model.",
            )
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
        else:
            shutil.copytree(path, folder, dirs_exist_ok=True)

    def open(self, folder: Path) -> Any:  # noqa: ANN401
        """Return the model that `save` wrote. It runs once in each worker process."""
        raise NotImplementedError(f"{type(self).__name__}.open")

    def run(self, model: Any, inputs: Mapping[str, Array]) -> object:  # noqa: ANN401
        """Run one batch.

        Args:
            model: What `open` or the user's loader returned.
            inputs: Arrays by the names of the inputs: (n, …), in the order of the signature.

        Returns:
            Arrays by the names of the outputs, a list of one such mapping for each row, a tuple of
            arrays in the order of the outputs, or one array. Each array is (n, …).
        """
        return model(*inputs.values())

    def layers(self, model: Any) -> Sequence[Layer]:  # noqa: ANN401
        """Return the layers of a model, for its summary; none by default."""
        return ()

    def loaded(self, m: object) -> object:
        """Return the object of a model, loaded in this process.

        Raises:
            WrongUseError: LOADER_FAILED or WRONG_MODEL_SOURCE.
        """
        with tempfile.TemporaryDirectory(prefix="sightline-save-") as name:
            folder = Path(name)
            if not isinstance(m, FunctionType):
                self.save(m, folder)
            try:
                return call_loader(m, folder) if isinstance(m, FunctionType) else self.open(folder)
            except SightlineError:
                raise
            except Exception as error:
                raise loader_failed(getattr(m, "__name__", type(self).__name__), error) from error


def _of_model(options: CallOptions) -> ModelOptions:
    """Return the options without those of the calls in Spark."""
    known = ModelOptions.__annotations__
    kept = {name: value for name, value in options.items() if name in known}
    return cast("ModelOptions", kept)
