"""Sightline runs vision models over image collections, in Python or on Spark.

`load` opens a model; `Model.predict` and `Model.features` run it on images, and `Model.run` on rows
of any inputs. `add_model` makes a model of Sightline from one of ONNX, PyTorch, Keras, TensorFlow
or scikit-learn. `load_plugin` gives a plugin, which makes Spark functions of a framework's models;
`Plugin` is the base class of plugins. The modules `sightline.errors`, `sightline.functions` (for
PySpark) and `sightline.data` (datasets of PyTorch) are public too. All other modules are private:
they change without notice.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from sightline.errors import SightlineError, WrongUseError
from sightline.row_error import RowError
from sightline.version import __version__

if TYPE_CHECKING:
    from sightline.api import FeatureVector, Model, Prediction, RankedClass
    from sightline.api_add import add_model
    from sightline.api_load import load
    from sightline.plugins.load_plugin import load_plugin
    from sightline.plugins.model_summary import Layer, ModelSummary
    from sightline.plugins.plugin import Plugin

__all__ = [
    "FeatureVector",
    "Layer",
    "Model",
    "ModelSummary",
    "Plugin",
    "Prediction",
    "RankedClass",
    "RowError",
    "SightlineError",
    "WrongUseError",
    "__version__",
    "add_model",
    "load",
    "load_plugin",
]

_MODULES = {
    "Layer": "sightline.plugins.model_summary",
    "ModelSummary": "sightline.plugins.model_summary",
    "Plugin": "sightline.plugins.plugin",
    "add_model": "sightline.api_add",
    "load": "sightline.api_load",
    "load_plugin": "sightline.plugins.load_plugin",
}


def __getattr__(name: str) -> object:
    # Imported at the first use: Spark's workers and `--help` import this package, and must not
    # load numpy and pyarrow for it.
    if name in __all__:
        return getattr(importlib.import_module(_MODULES.get(name, "sightline.api")), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
