import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from harness.checkout import CONTENDERS
from harness.coprocess import Coprocess, Program
from harness.pca import heap_mib
from harness.synthetic_features import write_features


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,200 rows of 96 features."""
    folder = tmp_path_factory.mktemp("pca") / "rows"
    write_features(folder, 1200, 96)
    return folder


def test_synthetic_rows_are_a_table_of_features(rows: Path) -> None:
    table = pq.read_table(rows)
    assert [f"{field.name} {field.type}" for field in table.schema] == [
        "path string",
        "label string",
        "label_id int32",
        "filename string",
        "split string",
        "features list<element: float>",
        "error struct<code: string, stage: string, message: string>",
    ]
    first = table.slice(0, 1).drop_columns(["features"]).to_pylist()[0]
    assert first == {
        "path": "/synthetic/Training/class 00/000000000.jpg",
        "label": "class 00",
        "label_id": 0,
        "filename": "000000000.jpg",
        "split": "train",
        "error": None,
    }
    pairs = set(zip(*table.select(["split", "label"]).to_pydict().values(), strict=True))
    assert len(pairs) == 2 * 24
    assert table.column("split").to_pylist().count("train") == 912  # three rounds of 24 in four


def test_the_spectrum_of_synthetic_rows_decays(rows: Path) -> None:
    values = np.array(pq.read_table(rows).column("features").to_pylist(), np.float32)
    spectrum = np.linalg.eigvalsh(np.corrcoef(values.T))[::-1]
    assert np.linalg.matrix_rank(values) == 96
    assert spectrum[:10].sum() > 5 * spectrum[-10:].sum()


def test_a_larger_table_starts_with_the_rows_of_a_smaller_one(tmp_path: Path) -> None:
    write_features(tmp_path / "small", 10_000, 4)
    write_features(tmp_path / "large", 10_100, 4)
    small, large = pq.read_table(tmp_path / "small"), pq.read_table(tmp_path / "large")
    assert large.num_rows == 10_100
    assert large.slice(0, 10_000).equals(small)


def test_numpy_and_scikit_learn_explain_the_same_variance(rows: Path, tmp_path: Path) -> None:
    script = (sys.executable, str(CONTENDERS / "raw_pca.py"))
    program = Program("raw", script, {"PYTHONPATH": str(CONTENDERS)})
    shares, components = [], []
    with Coprocess(program, tmp_path / "log") as process:
        for shape in ("numpy", "scikit-learn"):
            output = tmp_path / shape
            question = {"shape": shape, "images": 1200, "features": str(rows), "k": 5}
            process.ask(json.dumps(question | {"output": str(output)}), 1200)
            shares.append(json.loads((output / "run.json").read_text())["explained_variance"])
            table = pq.read_table(output / "components.parquet").sort_by("path")
            components.append(np.abs(np.array(table.column("components").to_pylist())))
            heads = [
                (output / f"{split}.csv").read_text().splitlines()[0] for split in ("train", "test")
            ]
            assert heads == ['"path","filename","label","f_0","f_1","f_2","f_3","f_4"'] * 2
    assert shares[0] == pytest.approx(shares[1], abs=1e-5)
    # The deviation's divisor is n in one and n - 1 in the other.
    assert np.allclose(components[0], components[1], rtol=2e-3, atol=2e-3)


def test_the_heap_is_read_after_each_garbage_collection(tmp_path: Path) -> None:
    log = tmp_path / "gc.log"
    log.write_text(
        "[0.01s][info][gc] Using G1\n"
        "[1.2s][info][gc] GC(0) Pause Young (Normal) (G1 Evacuation Pause) 512M->134M(2048M) 9ms\n"
        "[1.3s][info][gc] GC(1) Concurrent Mark Cycle 12.0ms\n"
        "[1.4s][info][gc] GC(2) Pause Remark 300M->290M(2048M) 2ms\n"
        "[1.9s][info][gc] GC(3) Pause Young (Mixed) (G1 Evacuation Pause) 700M->90M(2048M) 9ms\n"
    )
    assert heap_mib(log) == (290, 3)
    log.write_text("")
    assert heap_mib(log) == (0, 0)
