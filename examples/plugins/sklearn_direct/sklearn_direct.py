"""A plugin of another author: scikit-learn estimators in Spark, without ONNX.

`plugin.model_udf(estimator, example_inputs=X[:4], allow_code=True)` gives a function of columns.
The estimator travels as a joblib file, which is code. So the user must allow it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import joblib
import numpy as np
import sightline
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

_FILE = "estimator.joblib"


class SklearnPlugin(sightline.Plugin):
    """Runs a fitted estimator on one input: (n, features)."""

    def save(self, m: object, folder: Path) -> None:
        """Write an estimator, or copy the joblib file of one."""
        if isinstance(m, BaseEstimator):
            joblib.dump(m, folder / _FILE)
        else:
            super().save(m, folder)

    def open(self, folder: Path) -> BaseEstimator:
        """Read the estimator, once in each worker process."""
        (file,) = (one for one in folder.iterdir() if one.suffix == ".joblib")
        return joblib.load(file)

    def run(self, model: BaseEstimator, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return a classifier's probabilities, a transformer's features, or a prediction."""
        (rows,) = inputs.values()
        for method in ("predict_proba", "transform", "predict"):
            if hasattr(model, method):
                return {method: getattr(model, method)(rows)}
        raise TypeError(f"{type(model).__name__} has no method to run")

    def layers(self, model: BaseEstimator) -> Sequence[sightline.Layer]:
        """Return the steps of a pipeline, or the estimator itself."""
        steps = model.steps if isinstance(model, Pipeline) else [("estimator", model)]
        return [sightline.Layer(name, type(one).__name__, "", _size(one)) for name, one in steps]


def _size(estimator: BaseEstimator) -> int:
    """Return the count of fitted numbers."""
    fitted = (value for name, value in vars(estimator).items() if name.endswith("_"))
    return sum(value.size for value in fitted if isinstance(value, np.ndarray))
