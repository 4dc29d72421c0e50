"""Tables of many kinds, read by both languages as docs/tables.md specifies."""

from __future__ import annotations

import datetime as dt
import runpy
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

Done = subprocess.CompletedProcess[str]
Row = dict[str, Any]
Paint = Callable[..., bytes]
pytestmark = pytest.mark.timeout(900)

# The tests are not a package: pytest imports each file separately.
_MADE = runpy.run_path(str(Path(__file__).parent / "table_cases.py"))
CASES: dict[str, Any] = _MADE["CASES"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, paint: Paint) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    (folder / "r.png").write_bytes(paint("red"))
    (folder / "b.png").write_bytes(paint("blue"))
    for case in CASES.values():
        case.write(folder / case.table, paint)
    return folder


@dataclass(frozen=True)
class Ran:
    """The result of a command in one language: its status, its stderr and its rows."""

    status: int
    stderr: str
    rows: list[Row]


def arguments(name: str, folder: Path, output: Path, model: Path) -> list[str]:
    case = CASES[name]
    return [
        "predict",
        "--images",
        str(folder / case.table),
        "--model",
        str(model),
        "--output",
        str(output),
        *case.options,
    ]


def read(output: Path) -> list[Row]:
    """The rows, sorted by path, with the label or error of each; numbers as Python's."""
    if not output.exists():
        return []
    # Spark writes timestamps without a unit and a time zone.
    table = pq.ParquetDataset(output, partitioning=None, coerce_int96_timestamp_unit="us").read()
    rows = sorted(table.to_pylist(), key=lambda row: row["path"])
    return [shown(row) for row in rows]


def shown(row: Row) -> Row:
    prediction, error = row.pop("prediction"), row.pop("error")
    assert (prediction is None) != (error is None)
    return {
        name: int(value) if isinstance(value, Decimal) else value for name, value in row.items()
    } | {"says": prediction["label"] if prediction else error["code"]}


@pytest.fixture
def ran(
    language: str,
    name: str,
    folder: Path,
    run_command: Callable[..., Done],
    alone: Callable[..., Done],
    colour_bundle: Path,
) -> Ran:
    output = folder / language / CASES[name].table
    run = run_command if language == "spark" else alone
    done = run(*arguments(name, folder, output, colour_bundle))
    return Ran(done.returncode, done.stderr, read(output))


@pytest.mark.parametrize("language", ["spark", "alone"])
@pytest.mark.parametrize("name", CASES)
def test_both_languages_give_the_same_rows_for_a_table(name: str, ran: Ran) -> None:
    case = CASES[name]
    assert ran.status == (2 if case.refused else 0), ran.stderr[-2000:]
    lines = ran.stderr.splitlines()
    assert any(all(part in line for part in case.refused) for line in lines) or not case.refused
    for note in case.notes:
        assert any(note in line for line in lines), ran.stderr[-2000:]
    assert [as_written(row) for row in ran.rows] == [as_written(dict(row)) for row in case.rows]
    # Also in the same order: the table's columns, then those of the result.
    assert [list(row) for row in ran.rows] == [list(row) for row in case.rows]


def as_written(row: Row) -> Row:
    """The row without time zones, because Spark's timestamps have none."""
    return {
        name: value.replace(tzinfo=None) if isinstance(value, dt.datetime) else value
        for name, value in row.items()
    }
