"""Sightline runs vision models over image collections, in Python or on Spark.

`load` opens a model; `Model.predict` and `Model.features` run it on images, and `Model.run` on rows
of any inputs. `add_model` makes a bundle of a model of ONNX, PyTorch, Keras, TensorFlow or
scikit-learn. The modules `sightline.errors` and `sightline.functions` (for PySpark) are public too.
All other modules are private: they change without notice.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from sightline.errors import SightlineError, WrongUseError
from sightline.row_error import RowError
from sightline.version import __version__

if TYPE_CHECKING:
    from sightline.api import FeatureVector, Model, Prediction, RankedClass, load
    from sightline.api_add import add_model

__all__ = [
    "FeatureVector",
    "Model",
    "Prediction",
    "RankedClass",
    "RowError",
    "SightlineError",
    "WrongUseError",
    "__version__",
    "add_model",
    "load",
]


def __getattr__(name: str) -> object:
    # Imported at the first use: Spark's workers and `--help` import this package, and must not
    # load numpy and pyarrow for it.
    if name in __all__:
        module = "sightline.api_add" if name == "add_model" else "sightline.api"
        return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
