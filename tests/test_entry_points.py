"""One engine, two entry points: the jar and `python -m sightline` give equal rows."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Done = subprocess.CompletedProcess[str]
Row = dict[str, Any]
pytestmark = pytest.mark.timeout(600)


def assert_same(ours: list[Row], others: list[Row]) -> None:
    """Equal paths, true labels, predicted labels and errors, and scores within 1e-5."""
    assert [row["path"] for row in ours] == [row["path"] for row in others]
    for one, other in zip(ours, others, strict=True):
        assert list(one) == list(other)
        assert (one["label"], one["label_id"]) == (other["label"], other["label_id"])
        if one["error"] is not None or other["error"] is not None:
            for part in ("code", "stage"):
                assert one["error"][part] == other["error"][part], one["path"]
            continue
        assert one["prediction"]["label"] == other["prediction"]["label"]
        for left, right in zip(
            one["prediction"]["top_k"], other["prediction"]["top_k"], strict=True
        ):
            assert left["score"] == pytest.approx(right["score"], abs=1e-5)


@pytest.mark.parametrize("backend", ["onnx", "pytorch"])
def test_both_entry_points_give_equal_rows_for_a_table_of_cards(
    backend: str,
    run_command: Callable[..., Done],
    alone: Callable[..., Done],
    cards: Path,
    tmp_path: Path,
    rows_of: Callable[[Path], list[Row]],
) -> None:
    # By name from any working folder: the built-in bundles are beside the jar.
    command = ("predict", "--images", cards, "--model", "id_fraud", "--backend", backend)
    for command_line, name in ((run_command, "spark"), (alone, "alone")):
        done = command_line(*command, "--output", tmp_path / name)
        assert done.returncode == 0, done.stderr
    rows = rows_of(tmp_path / "spark")
    assert len(rows) == 12
    assert list(rows[0])[-5:] == ["path", "label", "label_id", "prediction", "error"]
    assert_same(rows, rows_of(tmp_path / "alone"))


def test_both_entry_points_give_equal_rows_for_a_folder_with_other_files(
    run_command: Callable[..., Done],
    alone: Callable[..., Done],
    gallery: Path,
    colour_bundle: Path,
    tmp_path: Path,
    rows_of: Callable[[Path], list[Row]],
) -> None:
    command = ("predict", "--images", gallery, "--model", colour_bundle, "--labels", "folder")
    for command_line, name in ((run_command, "spark"), (alone, "alone")):
        done = command_line(*command, "--output", tmp_path / name, "--batch-rows", 2)
        assert done.returncode == 0, done.stderr
    assert_same(rows_of(tmp_path / "spark"), rows_of(tmp_path / "alone"))
