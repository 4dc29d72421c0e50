"""Converts an estimator or a pipeline of scikit-learn by skl2onnx."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import sklearn
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import is_classifier

from sightline.backends.backend import Array
from sightline.bundle.converted_model import ConvertedModel
from sightline.bundle.graph import count_parameters
from sightline.bundle.row_runner import RowRunner
from sightline.bundle.sample_rows import sample
from sightline.bundle.tensor_graph import prepare_graph
from sightline.bundle.tensor_spec import TensorSpec
from sightline.errors import SightlineError, WrongUseError
from sightline.require_package import require_package

InitialTypes = Sequence[tuple[str, Any]]
_INPUT = "features"
_OPSETS = {"": 18, "ai.onnx.ml": 3}
_METHODS = ("predict_proba", "predict", "transform", "decision_function", "score_samples")
_CLOSE = 1e-3


def from_sklearn(
    source: Path | object, initial_types: InitialTypes | None = None
) -> ConvertedModel:
    """Convert an estimator. Its golden outputs are those of scikit-learn's own methods.

    Args:
        source: A .skops file without untrusted types (nothing is unpickled), or a fitted estimator.
        initial_types: The inputs as skl2onnx takes them: names and types such as
            `("age", FloatTensorType([None, 1]))`. By default there is one float input, `features`,
            with all columns.

    Raises:
        WrongUseError: BAD_MODEL_FILE, UNSAFE_MODEL; NOT_FITTED; BAD_ONNX for inputs of text.
        SightlineError: EXPORT_FAILED if skl2onnx cannot convert the estimator, or converts it to a
            graph with other results.
    """
    estimator: Any = _read(source) if isinstance(source, Path) else source
    what = type(estimator).__name__
    types = list(initial_types or [(_INPUT, FloatTensorType([None, _columns(estimator, what)]))])
    graph = _convert(estimator, types, what)
    prepared = prepare_graph(graph, (), what)
    rows = {one.name: sample(one, {}, _limits(one)) for one in prepared.inputs}
    found = RowRunner(prepared.model).together(rows)
    _check_labels(estimator, graph, rows, what)
    outputs = {
        name: _own_result(estimator, name, value, rows, what) for name, value in found.items()
    }
    labels = {
        name: tuple(str(one) for one in estimator.classes_)
        for name, value in found.items()
        if _is_probabilities(estimator, value)
    }
    file = f", {source.name}" if isinstance(source, Path) else ""
    return ConvertedModel(
        onnx=prepared.model.SerializeToString(deterministic=True),
        inputs=rows,
        outputs=outputs,
        origin=f"scikit-learn {sklearn.__version__}, {what}{file}",
        parameters=count_parameters(prepared.model) + _numbers_in_attributes(prepared.model),
        labels=labels,
        notes=tuple(prepared.notes),
    )


def _read(path: Path) -> Any:  # noqa: ANN401 - an estimator
    from skops.io import get_untrusted_types, load

    try:
        untrusted = get_untrusted_types(file=path)
        estimator = None if untrusted else load(path, trusted=[])
    except Exception as error:  # skops has no base of its own for damaged files
        reason = " ".join(str(error).split())[:200]
        raise WrongUseError(
            "BAD_MODEL_FILE",
            f"'{path}' is not a file of skops ({type(error).__name__}: {reason}). Write it with "
            "skops.io.dump(estimator, FILE); a pickle is not read.",
        ) from error
    if untrusted:
        raise WrongUseError(
            "UNSAFE_MODEL",
            f"'{path}' holds types that skops does not trust: {', '.join(untrusted[:5])}. They "
            "could run code, so the file was not loaded.",
        )
    return estimator


def _columns(estimator: Any, what: str) -> int:  # noqa: ANN401
    """Return the number of columns that the estimator was fitted with.

    Raises:
        WrongUseError: NOT_FITTED.
    """
    count = getattr(estimator, "n_features_in_", None)
    if count is None:
        raise WrongUseError(
            "NOT_FITTED", f"the {what} was not fitted, so it has no numbers to convert."
        )
    return int(count)


def _convert(estimator: Any, types: InitialTypes, what: str) -> onnx.ModelProto:  # noqa: ANN401
    graph: onnx.ModelProto
    arguments: dict[str, Any] = {"initial_types": list(types), "target_opset": _OPSETS}
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            with suppress(NameError):  # not every classifier has this option
                if is_classifier(estimator):
                    plain = {id(estimator): {"zipmap": False}}
                    graph = to_onnx(estimator, options=plain, **arguments)
                    return graph
            graph = to_onnx(estimator, **arguments)
    except Exception as error:  # skl2onnx raises errors of many kinds
        reason = " ".join(str(error).split())[:300]
        raise SightlineError(
            "EXPORT_FAILED", f"skl2onnx cannot convert a {what}: {type(error).__name__}: {reason}"
        ) from error
    return graph


def _numbers_in_attributes(model: onnx.ModelProto) -> int:
    """Return the number of floats in attributes, where ONNX keeps trees and linear models."""
    return sum(len(one.floats) for node in model.graph.node for one in node.attribute)


def _limits(tensor: TensorSpec) -> tuple[float, float]:
    return (0, 0) if tensor.dtype.startswith("float") else (0, 2)


def _table(estimator: Any, rows: Mapping[str, Array]) -> Any:  # noqa: ANN401
    """Return the rows as the estimator takes them: an array, or a pandas table of its columns."""
    rows = {name: value.astype(np.float64) for name, value in rows.items()}
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        return np.concatenate(list(rows.values()), axis=1)
    if len(rows) == 1:
        (values,) = rows.values()
        columns = {str(name): values[:, at] for at, name in enumerate(names)}
    else:
        columns = {name: value[:, 0] for name, value in rows.items()}
    require_package("pandas", install="pandas", purpose="an estimator fitted with named columns")
    import pandas as pd

    return pd.DataFrame(columns)


def _results(estimator: Any, rows: Mapping[str, Array]) -> dict[str, Array]:  # noqa: ANN401
    table, found = _table(estimator, rows), {}
    for method in _METHODS:
        if not hasattr(estimator, method):
            continue
        value = getattr(estimator, method)(table)
        found[method] = value.toarray() if hasattr(value, "toarray") else np.asarray(value)
    return found


def _own_result(
    estimator: Any,  # noqa: ANN401
    name: str,
    value: Array,
    rows: Mapping[str, Array],
    what: str,
) -> Array:
    """Return the result of the estimator's method that the graph's output computes.

    Raises:
        SightlineError: EXPORT_FAILED if no method gives these numbers.
    """
    results = _results(estimator, rows)
    for expected in results.values():
        if expected.dtype.kind not in "fiub" or expected.size != value.size:
            continue
        own = expected.reshape(value.shape).astype(value.dtype)
        if np.allclose(value, own, rtol=_CLOSE, atol=_CLOSE):
            return own
    raise SightlineError(
        "EXPORT_FAILED",
        f"skl2onnx converts the {what} to a graph whose output '{name}' equals none of its own "
        f"results ({', '.join(results)}).",
    )


def _check_labels(
    estimator: Any,  # noqa: ANN401
    graph: onnx.ModelProto,
    rows: Mapping[str, Array],
    what: str,
) -> None:
    """Compare the predicted labels, which may be text and so are not kept as an output.

    Raises:
        SightlineError: EXPORT_FAILED.
    """
    if not is_classifier(estimator):
        return
    name = graph.graph.output[0].name
    found = RowRunner(graph).together(rows)[name]
    expected = np.asarray(estimator.predict(_table(estimator, rows)))
    if not np.array_equal(found.astype(str).ravel(), expected.astype(str).ravel()):
        raise SightlineError(
            "EXPORT_FAILED",
            f"skl2onnx converts the {what} to a graph that predicts {found.ravel()[:5]} where the "
            f"estimator predicts {expected.ravel()[:5]}.",
        )


def _is_probabilities(estimator: Any, value: Array) -> bool:  # noqa: ANN401
    classes = getattr(estimator, "classes_", None)
    return (
        hasattr(estimator, "predict_proba")
        and isinstance(classes, np.ndarray)
        and value.shape[1:] == classes.shape
    )
