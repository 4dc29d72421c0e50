"""The pytorch variant of models with free axes and unusual dtypes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch

import sightline

from .free_models import write_same


@pytest.mark.parametrize("dtype", ["float16", "uint16", "int64", "bool"])
def test_rows_of_any_length_and_dtype(tmp_path: Path, dtype: str) -> None:
    path = write_same(tmp_path / "same", dtype, "k")
    weights = safetensors.torch.save({})
    (path / "weights.safetensors").write_bytes(weights)
    tree = json.loads((path / "model.json").read_text())
    variant = {"file": "weights.safetensors", "architecture": "torch.nn:Identity"}
    tree["variants"] = {"pytorch": variant}
    tree["files"]["weights.safetensors"] = hashlib.sha256(weights).hexdigest()
    (path / "model.json").write_text(json.dumps(tree))
    rows = [np.arange(at % 5 + 1).astype(dtype) for at in range(100)]

    found = sightline.load(path, backend="pytorch", allow_code=True, threads=2).run({"x": rows})

    for row, result in zip(rows, found, strict=True):
        assert isinstance(result, dict)
        assert (result["y"].dtype, result["y"].tolist()) == (row.dtype, row.tolist())
