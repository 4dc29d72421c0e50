"""The SQL functions as columns for PySpark, classic or Connect. The session needs the jar.

from sightline.functions import ml_predict

images.select("path", ml_predict("fruits", "content")["label"])
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from pyspark.sql import Column
from pyspark.sql.functions import call_function, col, create_map, lit


def ml_predict(
    model: str, content: Column | str, options: Mapping[str, str] | None = None
) -> Column:
    """Return a column with the model's prediction for each image.

    Args:
        model: A name, ``name@version``, or the path of a bundle.
        content: Binary column of encoded images.
        options: Options as text, such as ``{"top_k": "3", "backend": "openvino"}``.

    Returns:
        struct<label, class_id, score, top_k, error>, NULL where `content` is NULL.
    """
    return _call("ml_predict", model, content, options)


def ml_features(
    model: str, content: Column | str, options: Mapping[str, str] | None = None
) -> Column:
    """Return a column with the model's feature vector for each image.

    Args:
        model: A name, ``name@version``, or the path of a bundle.
        content: Binary column of encoded images.
        options: Options as text, such as ``{"batch_rows": "64"}``.

    Returns:
        struct<features array<float>, error>, NULL where `content` is NULL.
    """
    return _call("ml_features", model, content, options)


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
    function: str, model: str, content: Column | str, options: Mapping[str, str] | None
) -> Column:
    arguments = [lit(model), _column(content)]
    if options:
        arguments.append(create_map(*(lit(text) for text in chain(*options.items()))))
    return call_function(function, *arguments)


def _column(value: Column | str) -> Column:
    return col(value) if isinstance(value, str) else value
