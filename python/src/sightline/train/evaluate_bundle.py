"""Evaluate a trained bundle on samples, through the engine that also serves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sightline.backends.cache import open_session
from sightline.backends.device import resolve_device
from sightline.bundle.bundle import Bundle
from sightline.engine.model import Model
from sightline.engine.result_type import TopK
from sightline.engine.run import run
from sightline.engine.settings import EngineSettings
from sightline.errors import SightlineError
from sightline.source.read_images import CONTENT, ERROR, ERROR_TYPE
from sightline.train.metrics import Metrics, measure
from sightline.train.samples import Samples

_ROWS = 256
_BEST = 5
_CLASS = "__class"


def evaluate_bundle(bundle: Bundle, samples: Samples, threads: int, backend: str) -> Metrics:
    """Predict the samples as `predict` does on the CPU, and compare with their classes.

    Args:
        bundle: A classifier.
        samples: At least one.
        threads: Worker threads.
        backend: ``onnx`` or ``pytorch``.

    Raises:
        SightlineError: SAMPLE_FAILED if a sample gives an error; errors of the engine.
    """
    device = resolve_device("cpu", backend, None)
    model = Model(bundle, open_session(bundle, backend, device, 1))
    result = TopK(min(_BEST, len(bundle.labels)))
    true, best, scores = [], [], []
    settings = EngineSettings(threads=threads)
    for batch in run(_batches(samples), model, settings, result, [CONTENT], ERROR):
        error = batch.column("error")
        if error.null_count < batch.num_rows:
            first = next(one for one in error.to_pylist() if one is not None)
            raise SightlineError(
                "SAMPLE_FAILED", f"a held-out sample: {first['code']}: {first['message']}"
            )
        true.append(np.asarray(batch.column(_CLASS)))
        ranked = pc.struct_field(pc.list_flatten(batch.column("top_k")), "class_id")
        best.append(np.asarray(ranked).reshape(batch.num_rows, -1))
        scores.append(np.asarray(batch.column("score"), dtype=np.float64))
    return measure(
        tuple(bundle.labels),
        np.concatenate(true).astype(np.int64),
        np.concatenate(best).astype(np.int64),
        np.concatenate(scores),
    )


def _batches(samples: Samples) -> Iterator[pa.RecordBatch]:
    for start in range(0, len(samples), _ROWS):
        rows = [samples[row] for row in range(start, min(start + _ROWS, len(samples)))]
        yield pa.RecordBatch.from_arrays(
            [
                pa.array([class_id for _, class_id in rows], pa.int32()),
                pa.array([bytes(content) for content, _ in rows], pa.binary()),
                pa.nulls(len(rows), ERROR_TYPE),
            ],
            names=[_CLASS, CONTENT, ERROR],
        )
