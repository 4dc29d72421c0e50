"""`predict` and `evaluate` by spark-submit, on images whose label is their colour."""

from __future__ import annotations

import csv
import json
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Done = subprocess.CompletedProcess[str]
Row = dict[str, Any]
pytestmark = pytest.mark.timeout(600)

EXPECTED = {
    "top.png": (None, "red"),
    "red/a.png": ("red", "red"),
    "red/b, with comma.png": ("red", "blue"),
    "red/empty.png": ("red", "EMPTY"),
    "red/text.png": ("red", "UNSUPPORTED"),
    "green/c d.jpg": ("green", "green"),
    "green/e%20ü😀.webp": ("green", "green"),
    "green/gone.png": ("green", "NOT_FOUND"),
    "blue/f.bmp": ("blue", "blue"),
    "blue/g:h#1.gif": ("blue", "blue"),
    "blue/huge.png": ("blue", "TOO_LARGE"),
    "blue/truncated.jpg": ("blue", "TRUNCATED"),
}
ERRORS = {"EMPTY": 1, "NOT_FOUND": 1, "TOO_LARGE": 1, "TRUNCATED": 1, "UNSUPPORTED": 1}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("predict")


@pytest.fixture(scope="module")
def folder_run(submit: Callable[..., Done], gallery: Path, colour_bundle: Path, work: Path) -> Done:
    model = ("--model", "colour", "--models", colour_bundle.parent)
    return submit("predict", "--images", gallery, *model, "--output", work / "folder")


def outcome(row: Row) -> str:
    """The predicted label, or the error's code."""
    found: str = row["error"]["code"] if row["error"] else row["prediction"]["label"]
    return found


def test_each_file_of_a_folder_gives_one_row_labelled_by_its_subfolder(
    folder_run: Done, gallery: Path, work: Path, rows_of: Callable[[Path], list[Row]]
) -> None:
    assert folder_run.returncode == 0, folder_run.stderr
    rows = rows_of(work / "folder")
    assert list(rows[0]) == ["path", "label", "label_id", "prediction", "error"]
    found = {row["path"].removeprefix(f"{gallery}/"): (row["label"], outcome(row)) for row in rows}
    assert len(rows) == len(EXPECTED)
    assert found == EXPECTED


def test_each_row_has_a_prediction_or_an_error_and_never_both(
    folder_run: Done, work: Path, rows_of: Callable[[Path], list[Row]]
) -> None:
    assert folder_run.returncode == 0, folder_run.stderr
    for row in rows_of(work / "folder"):
        assert (row["prediction"] is None) != (row["error"] is None)
        if row["prediction"] is not None:
            top = row["prediction"].pop("top_k")
            assert row["prediction"] == top[0]
            assert len(top) == 3
            assert sum(entry["score"] for entry in top) == pytest.approx(1)
        else:
            assert row["error"]["stage"] in ("read", "decode")
            assert row["error"]["message"]


def test_run_json_has_the_counts_of_predictions_and_errors(
    folder_run: Done, colour_bundle: Path, work: Path
) -> None:
    assert folder_run.returncode == 0, folder_run.stderr
    record = json.loads((work / "folder" / "_run" / "run.json").read_text())
    assert record["counts"] == {"images": 12, "predicted": 7, "errors": ERRORS}
    assert record["command"] == "predict"
    assert record["model"]["name"] == "colour"
    assert record["model"]["backend"] == "onnx"
    assert record["version"]
    assert record["seconds"]
    assert str(colour_bundle.parent) in str(record["arguments"])


def test_the_console_shows_the_counts_and_the_next_command(folder_run: Done, work: Path) -> None:
    assert folder_run.stdout.startswith("12 images: 7 predicted, 5 errors: ")
    assert f"evaluate --predictions {work / 'folder'}" in folder_run.stdout
    assert "predict: 12 of 12 images (100%)" in folder_run.stderr
    assert "\tat " not in folder_run.stderr


def test_a_run_leaves_only_its_output(folder_run: Done, work: Path) -> None:
    assert folder_run.returncode == 0, folder_run.stderr
    assert not [path for path in work.iterdir() if "folder." in path.name]


def test_evaluate_gives_the_metrics_counted_by_hand(
    folder_run: Done, run_command: Callable[..., Done], work: Path
) -> None:
    assert folder_run.returncode == 0, folder_run.stderr
    done = run_command(
        "evaluate", "--predictions", work / "folder", "--output", work / "evaluation"
    )
    assert done.returncode == 0, done.stderr
    metrics = json.loads((work / "evaluation" / "metrics.json").read_text())
    assert (metrics["rows"], metrics["errors"], metrics["unlabelled"]) == (12, 5, 1)
    assert metrics["accuracy"] == pytest.approx(5 / 11)
    assert metrics["accuracy_predicted"] == pytest.approx(5 / 6)
    assert metrics["top5_accuracy"] == pytest.approx(6 / 11)
    names = ("label", "support", "predicted", "precision", "recall", "f1")
    classes = [tuple(row[name] for name in names) for row in metrics["per_class"]]
    assert classes == [
        ("red", 4, 1, 1.0, 1 / 4, pytest.approx(2 / 5)),
        ("green", 3, 2, 1.0, pytest.approx(2 / 3), pytest.approx(4 / 5)),
        ("blue", 4, 3, pytest.approx(2 / 3), 1 / 2, pytest.approx(4 / 7)),
    ]
    cells = {(c["actual"], c["predicted"]): c["count"] for c in metrics["confusion_matrix"]}
    assert cells == {
        ("red", "red"): 1,
        ("red", "blue"): 1,
        ("red", None): 2,
        ("green", "green"): 2,
        ("green", None): 1,
        ("blue", "blue"): 2,
        ("blue", None): 2,
    }
    assert "FROM judged" in done.stdout  # the SQL is printed with its result


TABLE = [
    ("note", "image_path", "actual_class", "actual_class_id"),
    ("007", "red/a.png", "red", "0"),
    ("again", "red/a.png", "green", "1"),
    ('a, "note"', "red/b, with comma.png", "blue", "2"),
    ("ü", "green/e%20ü😀.webp", "", ""),
    ("missing", "red/missing.png", "red", "0"),
    ("no path", "", "red", "0"),
    ("text", "red/text.png", "red", "0"),
]


def test_a_csv_table_gives_a_row_for_each_of_its_rows_in_csv(
    run_command: Callable[..., Done], gallery: Path, colour_bundle: Path, work: Path
) -> None:
    table, output = work / "cards.csv", work / "table"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(TABLE)
    (output / "_run").mkdir(parents=True)
    (output / "_run" / "run.json").write_text("{}")
    (output / "old.csv").write_text("what --overwrite replaces")
    done = run_command(
        *("predict", "--images", table, "--root", gallery, "--model", colour_bundle),
        *("--format", "csv", "--output", output, "--overwrite", "--top-k", 2),
    )
    assert done.returncode == 0, done.stderr
    assert not (output / "old.csv").exists()
    rows: list[dict[str, str]] = []
    for part in output.glob("*.csv"):
        with part.open(newline="") as file:
            rows += csv.DictReader(file)
    assert {row["note"]: (row["label"], row["label_id"], csv_said(row)) for row in rows} == {
        "007": ("red", "0", "red"),
        "again": ("green", "1", "red"),
        'a, "note"': ("blue", "2", "blue"),
        "ü": ("", "", "green"),
        "missing": ("red", "0", "NOT_FOUND"),
        "no path": ("red", "0", "NOT_FOUND"),
        "text": ("red", "0", "UNSUPPORTED"),
    }
    assert len(rows) == len(TABLE) - 1
    counts = Counter(row["path"] for row in rows)
    assert counts == Counter(path for _, path, _, _ in TABLE[1:])
    first = next(row for row in rows if row["note"] == "007")
    top = json.loads(first["prediction_top_k"])
    assert len(top) == 2
    assert top[0]["label"] == "red"


def csv_said(row: dict[str, str]) -> str:
    assert bool(row["prediction_label"]) != bool(row["error_code"])
    return row["prediction_label"] or row["error_code"]


def test_on_error_fail_exits_with_1_names_the_image_and_writes_no_output(
    submit: Callable[..., Done], gallery: Path, colour_bundle: Path, tmp_path: Path
) -> None:
    done = submit(
        *("predict", "--images", gallery / "red" / "text.png", "--model", colour_bundle),
        *("--output", tmp_path / "out", "--on-error", "fail", "--format", "json"),
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"sightline: IMAGE_FAILED: {gallery}/red/text.png: UNSUPPORTED: ")
    assert list(tmp_path.iterdir()) == []
