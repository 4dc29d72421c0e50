"""Spark ML stages for PySpark. They run the stages of the same names in Sightline's jar.

A session needs the jar (``spark.jars``) and
``spark.sql.extensions=sightline.sql.SightlineExtensions``.
"""

from __future__ import annotations

from sightline.ml.cached_pipeline import CachedPipeline
from sightline.ml.classifier import ImageClassifier, ImageClassifierModel
from sightline.ml.images import ImageFeaturizer, ImageFileTransformer, ImagePredictor
from sightline.ml.tensors import TensorTransformer
from sightline.ml.transfer_classifier import TransferClassifier, TransferClassifierModel

__all__ = [
    "CachedPipeline",
    "ImageClassifier",
    "ImageClassifierModel",
    "ImageFeaturizer",
    "ImageFileTransformer",
    "ImagePredictor",
    "TensorTransformer",
    "TransferClassifier",
    "TransferClassifierModel",
]
