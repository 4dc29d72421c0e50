"""An output folder of `pca`, written by hand so that all its numbers are known."""

import json
from pathlib import Path
from typing import Any

Record = dict[str, Any]

FEATURES_RUN: Record = {
    "command": "features",
    "version": "0.1.0",
    "started": "2026-11-22T09:00:00Z",
    "seconds": {
        "model": 0.5,
        "list": 0.25,
        "preflight": 1.0,
        "features_train": 30.0,
        "features_test": 10.0,
        "count": 0.5,
    },
    "arguments": ["features", "--images", "fruits 360", "--model", "mobilenet_v2"],
    "spark": {"version": "4.1.3", "master": "local[2]", "application": "local-1"},
    "model": {
        "name": "mobilenet_v2",
        "sha256": "ab" * 32,
        "backend": "onnx",
        "device": "cpu",
        "precision": "fp32",
        "decoder": "fast",
        "batch_rows": 32,
        "features": 1280,
    },
    "partitions": 8,
    "counts": {"images": 1922, "predicted": 1920, "errors": {"CORRUPT": 2}},
    "splits": {
        "train": {"images": 1442, "seconds": 30.0},
        "test": {"images": 480, "seconds": 10.0},
    },
    "worker": {"batches": 61},
}
PCA_RUN: Record = {
    "command": "pca",
    "version": "0.1.0",
    "started": "2026-11-22T10:00:00Z",
    "seconds": {
        "read": 1.5,
        "scaler_fit": 2.0,
        "pca_fit": 3.5,
        "transform": 5.0,
        "csv": 0.5,
        "report": 2.5,
    },
    "arguments": ["pca", "--features", "fruits features", "--k", "12"],
    "spark": {"version": "4.1.3", "master": "local[2]", "application": "local-2"},
    "features_run": FEATURES_RUN,
    "counts": {"rows": 1920, "train": 1440, "test": 480, "errors": {"CORRUPT": 2}},
    "splits": {"train": 1440, "test": 480},
    "classes": [{"label": "Apple 1", "train": 60}, {"label": None, "train": 1380, "test": 480}],
    "error_samples": [],
    "pca": {
        "k": 12,
        "features": 1280,
        "fitted_on": 1440,
        "explained_variance": [0.5, 0.25, *[0.01] * 10],
        "spectrum": [0.5, 0.25, *[0.01] * 25],
        "components_for": {"0.90": 17, "0.95": 22, "0.99": 26},
        "compression_ratio": 106.7,
    },
    "sample": {"rows": 1920, "of": 1920},
}
MODEL_FILES = {
    "metadata/part-00000": b'{"class":"org.apache.spark.ml.PipelineModel"}',
    "metadata/_SUCCESS": b"",
    "stages/1_pca/data/part 0.snappy.parquet": bytes(range(256)) * 40,
}


def write_run(folder: Path, **changes: object) -> Path:
    """Write the files of a `pca` output that tracking reads."""
    files = {
        "run.json": json.dumps(PCA_RUN | changes).encode(),
        "report.html": "<p>Äpfel</p>".encode(),
        "pca_variance.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        "csv/train.csv": b"not logged",
        **{f"model/{name}": content for name, content in MODEL_FILES.items()},
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder
