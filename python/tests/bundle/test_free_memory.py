"""Rows of different shapes that wait for a batch, and their results, are bounded by bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .free_models import write_same, write_sum

# 5 MB of float32, 200 times: 1,050 MB. Each request also has one short row with a length of its
# own, which waits for a batch until something makes it run.
_PROGRAM = """
import json, resource, sys
import numpy as np
import pyarrow as pa
from sightline.backends.cache import open_session
from sightline.backends.device import Device
from sightline.bundle.bundle import Bundle
from sightline.engine.model import Model
from sightline.engine.result_type import Tensors
from sightline.engine.run import run
from sightline.engine.settings import EngineSettings

bundle = Bundle.load(sys.argv[1])
model = Model(bundle, open_session(bundle, "onnx", Device("cpu"), 1))
lengths = sys.argv[2]
threads = int(sys.argv[3])

def batches():
    for at in range(50):
        rows = [1_310_720 + (4 * at + i if lengths == "all" else 0) for i in range(4)]
        rows = [at + 1, *rows]
        values = pa.array(np.ones(sum(rows), np.float32))
        offsets = pa.array(np.concatenate(([0], np.cumsum(rows))), pa.int32())
        yield pa.RecordBatch.from_arrays([pa.ListArray.from_arrays(offsets, values)], ["x"])

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

before, found, errors = peak(), [], 0
spec = EngineSettings(threads=threads)
for batch in run(batches(), model, spec, Tensors(("y",)), ["x"], "none"):
    y = batch.column("y")
    found += (y.value_lengths() if pa.types.is_list(y.type) else y).to_pylist()
    errors += batch.num_rows - batch.column("error").null_count
print(json.dumps([found, errors, peak() - before]))
"""


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("lengths", ["all", "few"])
@pytest.mark.parametrize("output", ["sum", "same"])
def test_rows_of_different_lengths_are_held_by_bytes(
    tmp_path: Path, output: str, lengths: str, threads: int
) -> None:
    path = tmp_path / output
    if output == "sum":
        write_sum(path)
    else:
        write_same(path, "float32", "k")
    command = [sys.executable, "-c", _PROGRAM, str(path), lengths, str(threads)]

    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603

    found, errors, most = json.loads(done.stdout)
    step = 4 if lengths == "all" else 0
    wanted = [
        length
        for at in range(50)
        for length in (at + 1, *(1_310_720 + (step * at + (i if step else 0)) for i in range(4)))
    ]
    assert (found, errors) == (wanted, 0)
    # Without the bounds it is 584 MB or more for sums, and 788 or more for the large results.
    assert most < (350 if output == "sum" else 700)
