"""Estimators of scikit-learn become bundles that give scikit-learn's own results."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sightline.bundle.add_tensors import AddedModel, add_tensors
from sightline.bundle.from_sklearn import from_sklearn
from sightline.bundle.tensor_request import TensorRequest
from sightline.errors import SightlineError, WrongUseError

from .tensor_graphs import run_model, tensors

X, KINDS = load_iris(return_X_y=True)
NAMES = load_iris().target_names[KINDS]  # setosa, versicolor, virginica
FIRST = X[::10].astype(np.float32)  # 15 rows


def added(source: Any, folder: Path, initial_types: Any = None) -> AddedModel:  # noqa: ANN401
    return add_tensors(from_sklearn(source, initial_types), TensorRequest("m"), folder / "models")


def test_a_classifier_of_names_has_a_head_of_its_classes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, NAMES)
    skops.io.dump(pipeline, tmp_path / "iris.skops")
    model = added(tmp_path / "iris.skops", tmp_path)
    assert tensors(model) == {
        "features": ("float32", ("n", 4), "tensor"),
        "probabilities": ("float32", ("n", 3), "classes"),
    }
    assert model.notes == ("output label is left out: it is text, not numbers",)
    assert model.bundle.labels == ("setosa", "versicolor", "virginica")
    assert model.bundle.manifest.source.endswith(", Pipeline, iris.skops")
    assert model.bundle.manifest.parameters == 4 + 4 + 12 + 3
    found = run_model(model.bundle, features=FIRST)["probabilities"]
    assert np.abs(found - pipeline.predict_proba(FIRST)).max() < 1e-5
    # OpenVINO does not have the operators of scikit-learn's models.
    assert set(model.bundle.manifest.batch_rows) == {"onnx"}
    assert "cannot run in openvino, so its batches were not measured: " in capsys.readouterr().err


def test_a_classifier_of_numbers_keeps_its_label(tmp_path: Path) -> None:
    forest = RandomForestClassifier(10, random_state=1).fit(X, KINDS)
    model = added(forest, tmp_path)
    assert tensors(model)["label"] == ("int64", ("n",), "tensor")
    assert model.bundle.labels == ("0", "1", "2")
    found = run_model(model.bundle, features=FIRST)
    assert np.abs(found["probabilities"] - forest.predict_proba(FIRST)).max() < 1e-5
    assert found["label"].tolist() == forest.predict(FIRST).tolist()


@pytest.mark.parametrize(
    ("estimator", "method", "output"),
    [
        (GradientBoostingRegressor(random_state=1), "predict", "variable"),
        (make_pipeline(StandardScaler(), PCA(2)), "transform", "variable"),
        (KMeans(3, random_state=1), "transform", "scores"),
        (LinearSVC(), "decision_function", "probabilities"),
    ],
)
def test_other_estimators_give_tensors(
    tmp_path: Path,
    estimator: Any,  # noqa: ANN401
    method: str,
    output: str,
) -> None:
    data, target = load_diabetes(return_X_y=True) if method == "predict" else (X, KINDS)
    estimator.fit(data, target)
    rows = data[:20].astype(np.float32)
    found = run_model(added(estimator, tmp_path).bundle, features=rows)[output]
    expected = getattr(estimator, method)(rows.astype(np.float64))
    assert np.allclose(found, expected.reshape(found.shape), rtol=1e-4, atol=1e-4)


def test_a_pipeline_can_have_several_inputs(tmp_path: Path) -> None:
    columns = [("scaled", StandardScaler(), [0, 1]), ("rest", "passthrough", [2, 3])]
    pipeline = make_pipeline(ColumnTransformer(columns), GaussianNB()).fit(X, NAMES)
    types = [("sepal", FloatTensorType([None, 2])), ("petal", FloatTensorType([None, 2]))]
    model = added(pipeline, tmp_path, types)
    assert [one.tensor.name for one in model.bundle.manifest.signature.inputs] == ["sepal", "petal"]
    found = run_model(model.bundle, sepal=FIRST[:, :2], petal=FIRST[:, 2:])["probabilities"]
    assert np.abs(found - pipeline.predict_proba(FIRST)).max() < 1e-4


class Doubled(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A transformer of the user's own, which skl2onnx cannot convert."""

    def fit(self, x: Any, y: Any = None) -> Doubled:  # noqa: ANN401
        self.n_features_in_ = x.shape[1]
        return self

    def transform(self, x: Any) -> Any:  # noqa: ANN401
        return x * 2


def test_what_cannot_be_converted_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SightlineError, match=r"EXPORT_FAILED: skl2onnx cannot convert a Doubled"):
        from_sklearn(Doubled().fit(X))
    with pytest.raises(WrongUseError, match=r"NOT_FITTED: the PCA was not fitted"):
        from_sklearn(PCA())
    skops.io.dump(Doubled().fit(X), tmp_path / "own.skops")
    with pytest.raises(WrongUseError, match=r"UNSAFE_MODEL: .*own.skops' holds types .*Doubled"):
        from_sklearn(tmp_path / "own.skops")


def test_a_pickle_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "m.skops").write_bytes(pickle.dumps(PCA(2).fit(X)))
    with pytest.raises(WrongUseError, match=r"BAD_MODEL_FILE: .*m.skops' is not a file of skops"):
        from_sklearn(tmp_path / "m.skops")


def test_a_graph_with_other_results_than_the_estimator_is_refused() -> None:
    class Shifted(LogisticRegression):  # type: ignore[misc]
        """Converted as its base class, but predicts otherwise."""

        def predict_proba(self, x: Any) -> Any:  # noqa: ANN401
            return np.roll(super().predict_proba(x), 1, axis=1)

    from skl2onnx import update_registered_converter
    from skl2onnx.operator_converters.linear_classifier import convert_sklearn_linear_classifier
    from skl2onnx.shape_calculators.linear_classifier import (
        calculate_linear_classifier_output_shapes,
    )

    update_registered_converter(
        Shifted,
        "Shifted",
        calculate_linear_classifier_output_shapes,
        convert_sklearn_linear_classifier,
        options={
            "zipmap": [True, False, "columns"],
            "nocl": [True, False],
            "raw_scores": [True, False],
        },
    )
    with pytest.raises(SightlineError, match=r"output 'probabilities' equals none of its own"):
        from_sklearn(Shifted(max_iter=1000).fit(X, KINDS))
