"""The SQL functions as columns for PySpark, classic or Connect. The session needs the jar.

from sightline.functions import ml_predict

images.select("path", ml_predict("fruits", "content")["label"])
sentences.select(ml_predict("encoder", input_ids="ids", attention_mask="mask")["embedding"])
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from pyspark.sql import Column
from pyspark.sql.functions import call_function, col, create_map, lit
from pyspark.sql.utils import get_active_spark_context, is_remote


def ml_predict(
    model: str,
    *inputs: Column | str | Mapping[str, str],
    options: Mapping[str, str] | None = None,
    **named: Column | str,
) -> Column:
    """Return a column with the model's result for each row.

    Args:
        model: A name, ``name@version``, or the path of a bundle.
        inputs: A column for each input of the model: encoded images, or numbers, arrays of
            numbers, ML vectors, or nested arrays. A mapping at the end is `options`.
        options: Options as text, such as ``{"top_k": "3", "backend": "openvino"}``.
        named: Columns by the names of the model's inputs. ``content`` is the model's only image.

    Returns:
        struct<label, class_id, score, top_k, error>. A model without classes gives a struct with a
        field for each output, and error. NULL where all inputs are NULL.
    """
    return _call("ml_predict", model, inputs, options, named)


def ml_features(
    model: str,
    *inputs: Column | str | Mapping[str, str],
    output: str | None = None,
    options: Mapping[str, str] | None = None,
    **named: Column | str,
) -> Column:
    """Return a column with the model's feature vector for each row.

    Args:
        model: A name, ``name@version``, or the path of a bundle.
        inputs: See `ml_predict`.
        output: Name of an output of features; by default the first.
        options: Options as text, such as ``{"batch_rows": "64"}``.
        named: See `ml_predict`.

    Returns:
        struct<features array<float>, error>, NULL where all inputs are NULL.
    """
    choice = {} if output is None else {"output": lit(output)}
    return _call("ml_features", model, inputs, options, named | choice)


def get_image_inference_udf(path: Column | str, backend: str = "pytorch") -> Column:
    """Return a column with the prediction of ``spark.sightline.imageModel`` for each file.

    Args:
        path: Column of paths or URIs.
        backend: ``pytorch``, ``onnx`` or ``openvino``.

    Returns:
        struct<label, class_id, confidence, probabilities, error>, NULL where `path` is NULL.
    """
    return call_function("get_image_inference_udf", _column(path), lit(backend))


def _call(
    function: str,
    model: str,
    inputs: tuple[Column | str | Mapping[str, str], ...],
    options: Mapping[str, str] | None,
    named: Mapping[str, Column | str],
) -> Column:
    values = (_map(one) if isinstance(one, Mapping) else _column(one) for one in inputs)
    arguments = [lit(model), *values]
    arguments += [_named(name, _column(value)) for name, value in named.items()]
    if options:
        arguments.append(_named("options", _map(options)))
    return call_function(function, *arguments)


def _map(options: Mapping[str, str]) -> Column:
    return create_map(*(lit(text) for text in chain(*options.items())))


def _named(name: str, value: Column) -> Column:
    """Return a value for the parameter of a name. PySpark has no public function for this."""
    if is_remote():
        from pyspark.sql.connect.column import Column as ConnectColumn
        from pyspark.sql.connect.expressions import NamedArgumentExpression

        return ConnectColumn(NamedArgumentExpression(name, value._expr))  # type: ignore[arg-type]
    from pyspark.sql.classic.column import Column as ClassicColumn

    jvm: Any = get_active_spark_context()._jvm
    return ClassicColumn(jvm.PythonSQLUtils.namedArgumentExpression(name, value._jc))


def _column(value: Column | str) -> Column:
    return col(value) if isinstance(value, str) else value
