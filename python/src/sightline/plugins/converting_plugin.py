"""The base class of the shipped plugins, which convert models to ONNX."""

from __future__ import annotations

from pathlib import Path
from types import FunctionType
from typing import Any, ClassVar, Unpack

from sightline.bundle.bundle import Bundle
from sightline.errors import WrongUseError
from sightline.plugins.direct_bundle import direct_bundle
from sightline.plugins.model_options import ModelOptions, require_options
from sightline.plugins.model_summary import ModelSummary
from sightline.plugins.plugin import Plugin
from sightline.require_package import require_package


class ConvertingPlugin(Plugin):
    """A plugin whose models run as ONNX graphs; only a loader runs in its framework.

    Attributes:
        name: Name of the plugin.
        package: Import name of the framework.
        kinds: What `m` may be besides a loader, for messages.
        suffixes: Endings of the files that it converts; empty for a folder.
    """

    name: ClassVar[str] = ""
    package: ClassVar[str] = ""
    kinds: ClassVar[str] = ""
    suffixes: ClassVar[tuple[str, ...]] = ()

    def bundle(self, m: object, **options: Unpack[ModelOptions]) -> Path:
        """See `Plugin.bundle`."""
        options = require_options(options, call=False)
        if self.is_served(m):
            return direct_bundle(self, m, options)
        self.require_framework()
        from sightline.plugins.converted_bundle import converted_bundle

        return converted_bundle(self, m, options)

    def model_summary(self, m: object, **options: Unpack[ModelOptions]) -> ModelSummary:
        """See `Plugin.model_summary`. A model that is converted shows the nodes of its graph."""
        options = require_options(options, call=False)
        if self.is_served(m):
            return super().model_summary(m, **options)
        import onnx

        from sightline.plugins.graph_summary import graph_summary

        bundle = Bundle.load(self.bundle(m, **options))
        variant = bundle.manifest.onnx
        if variant is None:
            raise self.not_a_model(m)
        graph = onnx.load_model_from_string(bundle.read_bytes(variant.file))
        found = graph_summary(graph, bundle.name)
        signature = bundle.manifest.signature
        return ModelSummary(
            found.name,
            f"{bundle.manifest.source}, as {found.origin}",
            bundle.manifest.parameters,
            tuple(one.tensor for one in signature.inputs),
            tuple(one.tensor for one in signature.outputs),
            found.layers,
        )

    def is_loader(self, m: object) -> bool:
        """Whether it is a user's function."""
        return isinstance(m, FunctionType)

    def is_served(self, m: object) -> bool:
        """Whether the workers run the framework for this model."""
        return self.is_loader(m)

    def takes_file(self, path: Path) -> bool:
        """Whether a file or folder that exists is one that the plugin converts."""
        return path.is_dir() if self.suffixes == ("",) else path.suffix in self.suffixes

    def takes(self, m: object) -> bool:
        """Whether an object in memory is of the plugin's framework."""
        return any(one.__module__.partition(".")[0] == self.package for one in type(m).__mro__)

    def examples(self, options: ModelOptions) -> Any:  # noqa: ANN401
        """Return the example inputs that the converter of an object needs; None by default."""
        return None

    def require_framework(self) -> None:
        """Raise an error if the framework is not installed here.

        Raises:
            WrongUseError: MISSING_PACKAGE.
        """
        require_package(self.package, install=self.package, purpose=f"plugin {self.name}")

    def not_a_model(self, m: object) -> WrongUseError:
        """Return the error for something that is no model of this plugin."""
        what = f"'{m}'" if isinstance(m, str | Path) else f"a {type(m).__name__}"
        return WrongUseError(
            "WRONG_MODEL_SOURCE",
            f"plugin {self.name} cannot make a model of {what}. It takes {self.kinds}, or a "
            "function that returns the model.",
        )
