"""The SQL functions as columns of PySpark, classic or Connect; the session needs the jar.

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
    """What a model says of each image.

    Args:
        model: A name, ``name@version``, or the path of a bundle.
        content: Column of the images' bytes, binary.
        options: Such as ``{"top_k": "3", "backend": "openvino"}``.

    Returns:
        struct<label, class_id, score, top_k, error>; NULL where `content` is.
    """
    return _call("ml_predict", model, content, options)


def ml_features(
    model: str, content: Column | str, options: Mapping[str, str] | None = None
) -> Column:
    """Each image as a vector: the model's output of features.

    Args:
        model: A name, ``name@version``, or the path of a bundle.
        content: Column of the images' bytes, binary.
        options: Such as ``{"batch_rows": "64"}``.

    Returns:
        struct<features array<float>, error>; NULL where `content` is.
    """
    return _call("ml_features", model, content, options)


def get_image_inference_udf(path: Column | str, backend: str = "pytorch") -> Column:
    """What the model of ``spark.sightline.imageModel`` says of the file at each path.

    Args:
        path: Column of paths or URIs.
        backend: ``pytorch``, ``onnx`` or ``openvino``.

    Returns:
        struct<label, class_id, confidence, probabilities, error>; NULL where `path` is.
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
