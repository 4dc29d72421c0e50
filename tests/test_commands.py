"""Several commands in one application of the jar, and packed tables read by both languages."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Done = subprocess.CompletedProcess[str]
Row = dict[str, Any]
pytestmark = pytest.mark.timeout(600)


def test_commands_in_a_file_give_the_same_results_in_both_languages(
    submit: Callable[..., Done],
    alone: Callable[..., Done],
    gallery: Path,
    colour_bundle: Path,
    tmp_path: Path,
    rows_of: Callable[[Path], list[Row]],
) -> None:
    packed, packed_alone = tmp_path / "spark.parquet", tmp_path / "alone.parquet"
    pack = ("pack-images", "--images", gallery)
    done = alone(*pack, "--output", packed_alone)
    assert done.returncode == 0, done.stderr

    def predict(images: Path, output: str) -> tuple[object, ...]:
        model = ("--model", colour_bundle, "--output", tmp_path / output)
        return ("predict", "--images", images, *model)

    lines: list[tuple[object, ...]] = [
        (*pack, "--output", packed),
        predict(gallery, "files"),
        predict(packed, "packed"),
        predict(packed_alone, "packed_alone"),
        ("sql", "-e", f"SELECT count(*) FROM parquet.`{packed}`"),  # noqa: S608 - pytest's folder
    ]
    file = tmp_path / "lines.txt"
    file.write_text("\n".join(shlex.join(map(str, line)) for line in lines))
    done = submit("commands", "--file", file)
    assert done.returncode == 0, done.stderr
    reported = [json.loads(line[2:]) for line in done.stdout.splitlines() if line.startswith("@ ")]
    assert [(one["line"], one["command"], one["status"]) for one in reported] == [
        (number, line[0], 0) for number, line in enumerate(lines, 1)
    ]
    assert "12 images, " in done.stdout

    done = alone(*predict(packed, "read_alone"))
    assert done.returncode == 0, done.stderr
    columns = ("path", "label", "prediction")
    expected = [{name: row[name] for name in columns} for row in rows_of(tmp_path / "files")]
    codes = [row["error"] and row["error"]["code"] for row in rows_of(tmp_path / "files")]
    for output in ("packed", "packed_alone", "read_alone"):
        rows = rows_of(tmp_path / output)
        assert [row["error"] and row["error"]["code"] for row in rows] == codes
        assert [{name: row[name] for name in columns} for row in rows] == expected


def test_the_table_function_needs_only_the_jar(
    spark_sql: Callable[..., Done], gallery: Path, colour_bundle: Path
) -> None:
    view = f"CREATE TEMPORARY VIEW images USING sightline OPTIONS (path '{gallery}')"
    call = f"ml_predict(TABLE(images), '{colour_bundle}', map('top_k', '1'))"
    counts = "SELECT prediction.label, error.code, count(*)"
    done = spark_sql(f"{view}; {counts} FROM {call} GROUP BY 1, 2 ORDER BY 1, 2")
    assert done.returncode == 0, done.stderr
    assert [line.split("\t") for line in done.stdout.splitlines() if "\t" in line] == [
        ["NULL", "EMPTY", "1"],
        ["NULL", "NOT_FOUND", "1"],
        ["NULL", "TOO_LARGE", "1"],
        ["NULL", "TRUNCATED", "1"],
        ["NULL", "UNSUPPORTED", "1"],
        ["blue", "NULL", "3"],
        ["green", "NULL", "2"],
        ["red", "NULL", "2"],
    ]
