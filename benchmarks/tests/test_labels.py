from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import BenchError
from harness.labels import compare, read_labels

RAW = {"a.jpg": (3, 0.9), "b.jpg": (5, 0.5)}


def test_equal_labels_and_scores_within_1e_4_are_exact() -> None:
    found = compare(RAW, {"a.jpg": (3, 0.90005), "b.jpg": (5, 0.5), "more.jpg": (1, 0.1)})
    assert found.exact
    assert found.max_delta == pytest.approx(5e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"a.jpg": (4, 0.9), "b.jpg": (5, 0.5)},  # another label
        {"a.jpg": (3, 0.9002), "b.jpg": (5, 0.5)},  # another score
        {"a.jpg": (3, 0.9)},  # no label
    ],
)
def test_another_label_another_score_or_a_missing_label_is_not_exact(
    wrong: dict[str, tuple[int, float]],
) -> None:
    assert not compare(RAW, wrong).exact


def test_labels_are_read_from_each_layout_of_output(tmp_path: Path) -> None:
    prediction = {"label": "x", "class_id": 3, "score": 0.9}
    tables = {
        "sightline": {"path": ["/x/a.jpg", "/x/bad.jpg"], "prediction": [prediction, None]},
        "sql": {"path": ["file:/x/a.jpg"], "class_id": [3], "confidence": [0.9]},
        "peer": {"path": ["a.jpg"], "class_id": [3], "score": [0.9]},
    }
    for name, columns in tables.items():
        (tmp_path / name).mkdir()
        pq.write_table(pa.table(columns), tmp_path / name / "part.parquet")
        assert read_labels(tmp_path / name) == {"a.jpg": (3, 0.9)}


def test_an_output_without_predictions_is_an_error(tmp_path: Path) -> None:
    pq.write_table(pa.table({"path": ["a.jpg"]}), tmp_path / "part.parquet")
    with pytest.raises(BenchError, match="BENCH_OUTPUT"):
        read_labels(tmp_path)
    with pytest.raises(BenchError, match="BENCH_OUTPUT"):
        read_labels(tmp_path / "nowhere")
