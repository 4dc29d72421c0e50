"""Runs that are killed while they write, and a run whose listeners lose events."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Done = subprocess.CompletedProcess[str]
Row = dict[str, Any]
pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_next_run_removes_all_files_of_a_killed_run(
    how: signal.Signals,
    run_command: Callable[..., Done],
    submit_process: Callable[..., subprocess.Popen[bytes]],
    gallery: Path,
    tmp_path: Path,
) -> None:
    command = ("pack-images", "--images", gallery, "--output", tmp_path / "out.parquet")
    with submit_process(*command) as process:
        while process.poll() is None and not list(tmp_path.glob("out.parquet.incomplete-*")):
            time.sleep(0.01)
        process.send_signal(how)
    names = [path.name for path in tmp_path.iterdir() if path.suffix != ".crc"]
    left = [name.partition("-")[0] for name in names]
    if how == signal.SIGTERM:
        assert left == []
    else:
        assert sorted(set(left)) == [".out.parquet.run", "out.parquet.incomplete"]
    done = run_command(*command)
    assert done.returncode == 0, done.stderr
    assert ("is removed: a run that was killed" in done.stderr) == (how == signal.SIGKILL)
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]


def test_dropped_errors_are_counted_although_spark_drops_the_events_of_its_tasks(
    submit: Callable[..., Done],
    gallery: Path,
    colour_bundle: Path,
    tmp_path: Path,
    rows_of: Callable[[Path], list[Row]],
) -> None:
    rows = "".join(f'"{path}"\n' for path in sorted(gallery.glob("*/*.*")) for _ in range(100))
    (tmp_path / "t.csv").write_text(f"path\n{rows}")
    done = submit(
        *("predict", "--images", tmp_path / "t.csv", "--model", colour_bundle),
        *("--output", tmp_path / "out", "--on-error", "drop"),
        SPARK_SUBMIT_OPTS="-Dspark.scheduler.listenerbus.eventqueue.capacity=1",
    )
    assert done.returncode == 0, done.stderr
    errors = "500 errors: 100 EMPTY, 100 NOT_FOUND, 100 TOO_LARGE, 100 TRUNCATED, 100 UNSUPPORTED"
    assert done.stdout.startswith(f"1,200 images: 700 predicted, {errors}"), done.stdout
    assert {row["error"] is None for row in rows_of(tmp_path / "out")} == {True}
    assert len(rows_of(tmp_path / "out")) == 700
