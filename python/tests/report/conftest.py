"""PCA runs in the jar's format, with coloured images and given components."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

Record = dict[str, Any]
WriteRun = Callable[..., Path]
Encode = Callable[..., bytes]


def run_record(k: int = 3) -> Record:
    """A run.json; 8 features, of which `k` components are kept."""
    spectrum = [0.5, 0.25, 0.1, 0.06, 0.04, 0.03, 0.015, 0.005]
    return {
        "command": "pca",
        "version": "9.8.7",
        "started": "2026-11-22T16:50:12+00:00",
        "seconds": {"read": 1.25, "pca_fit": 6.5},
        "arguments": ["--features", "some features", "--k", str(k)],
        "spark": {"version": "4.1.3", "master": "local[2]", "application": "local-17"},
        "features_run": {
            "command": "features",
            "seconds": {"features_train": 30.0},
            "arguments": ["--images", "photos"],
            "model": {"name": "tiny_net", "sha256": "ab" * 32, "backend": "onnx", "device": "cpu"},
            "counts": {"images": 5, "predicted": 4, "errors": {"CORRUPT": 1}},
            "splits": {
                "train": {"images": 3, "seconds": 0.5},
                "test": {"images": 2, "seconds": 0.3},
            },
        },
        "counts": {"rows": 4, "train": 3, "test": 1, "errors": {"CORRUPT": 1}},
        "splits": {"train": 3, "test": 1},
        "classes": [{"label": "pear", "train": 2, "test": 1}, {"label": None, "train": 1}],
        "error_samples": [
            {"path": "photos/bad.jpg", "code": "CORRUPT", "stage": "decode", "message": "No EOI."}
        ],
        "pca": {
            "k": k,
            "features": 8,
            "fitted_on": 3,
            "explained_variance": spectrum[:k],
            "spectrum": spectrum,
            "components_for": {"0.90": 4, "0.95": 5, "0.99": 7},
            "compression_ratio": 8 / k,
        },
        "sample": {"rows": 4, "of": 4},
    }


@pytest.fixture
def record() -> Record:
    return run_record()


@pytest.fixture
def write_run(tmp_path: Path) -> WriteRun:
    """``write_run(record, paths)`` returns the folder of a PCA run with these images as sample."""

    def write(
        record: Record, paths: Sequence[str], labels: Sequence[str | None] | None = None
    ) -> Path:
        folder = tmp_path / "run"
        (folder / "sample").mkdir(parents=True)
        components = np.random.default_rng(0).normal(size=(len(paths), record["pca"]["k"]))
        sample = {
            "path": pa.array(paths, pa.string()),
            "filename": [Path(path).name for path in paths],
            "label": pa.array(labels or ["pear"] * len(paths), pa.string()),
            "split": pa.array(["train"] * len(paths), pa.string()),
            "components": pa.array(components.tolist(), pa.list_(pa.float32())),
        }
        pq.write_table(pa.table(sample), folder / "sample" / "part-00000.parquet")
        (folder / "run.json").write_text(json.dumps(record), "utf-8")
        return folder

    return write


@pytest.fixture
def photos(tmp_path: Path, encode: Encode) -> list[str]:
    (tmp_path / "photos").mkdir()
    paths = [tmp_path / "photos" / f"{colour}.png" for colour in ("red", "green", "blue", "white")]
    for path in paths:
        path.write_bytes(encode(path.stem))
    return list(map(str, paths))
