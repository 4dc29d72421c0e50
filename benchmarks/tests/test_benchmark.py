import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from harness.checkout import BENCHMARKS, MODELS
from harness.cli import main
from harness.contenders import CONTENDERS
from harness.inputs import ImageSet
from harness.programs import PROGRAMS
from harness.regimes import REGIMES, Regime

needs_model = pytest.mark.skipif(
    not (MODELS / "efficientnet_lite0").is_dir(),
    reason="models/efficientnet_lite0 is missing: run `make setup`",
)


@needs_model
def test_a_quick_run_measures_the_raw_parts_a_loop_and_the_engine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = "raw-inference,raw-decode,loop,engine"
    arguments = ["--quick", "--only", "heavy", "--contenders", chosen]
    assert main([*arguments, "--work", str(tmp_path)]) == 0
    record = json.loads((tmp_path / "results.json").read_text())
    (heavy,) = record["regimes"]
    rows = {row["name"]: row for row in heavy["contenders"]}
    assert list(rows) == chosen.split(",")
    assert heavy["finished"]
    assert heavy["batch_rows"] in (1, 2, 4, 8, 16, 32)
    for row in rows.values():
        assert row["skipped"] is None
        assert [job["images"] for job in row["jobs"]] == [[16], [32]]
        assert row["jobs"][1]["cpu_s"] > 0
        assert row["agreement"] is None or row["agreement"]["verdict"] == "exact"
    assert rows["engine"]["agreement"]["images"] == 32
    assert rows["engine"]["jobs"][1]["counters"]["images"] == 32
    printed = capsys.readouterr().out
    assert "CPU-ms per image" in printed
    assert "job of 500" in printed


@needs_model
@pytest.mark.timeout(600)  # three runs
def test_an_interrupted_run_continues_and_keeps_its_jobs(tmp_path: Path) -> None:
    options = ["--only", "heavy", "--contenders", "raw-decode", "--rounds", "3", "--images", "8"]
    options += ["--more-rounds", "0", "--work", str(tmp_path)]
    results = tmp_path / "results.json"

    def jobs() -> list[dict[str, Any]]:
        if not results.is_file():
            return []
        (heavy,) = json.loads(results.read_text())["regimes"]
        return [job | {"name": row["name"]} for row in heavy["contenders"] for job in row["jobs"]]

    command = [sys.executable, str(BENCHMARKS / "run.py"), *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603
    while len(jobs()) < 2 and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGTERM)  # the same as an interruption by the keyboard
    _, errors = process.communicate()
    assert process.returncode == 130
    assert "benchmark: interrupted. The same command continues." in errors
    before = jobs()
    assert 2 <= len(before) < 12

    assert main(options) == 0
    after = jobs()
    assert [job for job in before if job not in after] == []
    measured = sorted((job["name"], job["round"], job["images"][0]) for job in after)
    names = ("raw-decode", "raw-inference")
    assert measured == [(n, at, size) for n in names for at in range(3) for size in (8, 32)]

    # The run is complete now: the same command measures again.
    assert main(options) == 0
    assert [job for job in jobs() if job in before] == []


def test_an_unknown_contender_is_an_error_that_lists_the_known_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--contenders", "sparrow", "--work", str(tmp_path)]) == 2
    assert "UNKNOWN_CONTENDER: 'sparrow'. Known: raw-inference, " in capsys.readouterr().err


def test_an_unknown_part_is_an_error_that_lists_the_known_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--only", "camera,sparrow", "--work", str(tmp_path)]) == 2
    known = "heavy, light, camera, resnet50, cold, memory"
    assert f"'sparrow' is not one of {known}." in capsys.readouterr().err


def test_contenders_have_unique_names_known_programs_and_known_regimes() -> None:
    assert len({contender.name for contender in CONTENDERS}) == len(CONTENDERS)
    assert {contender.program for contender in CONTENDERS} == set(PROGRAMS)
    assert {name for contender in CONTENDERS for name in contender.regimes} == set(REGIMES)


def test_scaled_decoding_changes_the_labels_of_large_images_only() -> None:
    by_name = {contender.name: contender for contender in CONTENDERS}
    assert by_name["spark-folder"].labels_in("camera") == "alike"
    assert by_name["spark-folder"].labels_in("heavy") == "exact"
    assert by_name["spark-exact"].labels_in("camera") == "exact"
    assert by_name["pbu-files-documented"].labels_in("camera") == "exact"


def test_jobs_keep_the_mixture_of_a_cycle_and_differ_in_size(tmp_path: Path) -> None:
    files = tuple(tmp_path / f"{at}.jpg" for at in range(5))
    sets = (ImageSet("a-", "a", 0.7, files * 40), ImageSet("b-", "b", 0.3, files))
    sizes = ((22, 10), (176, 10), (22, 80))
    regime = Regime("camera", "", "", sets, tmp_path, sizes, (11, 5))
    assert regime.jobs_of(1.0) == sizes
    assert regime.jobs_of(0.3) == ((11, 5), (55, 5), (11, 25))
    assert regime.jobs_of(0.01) == sizes  # the share would make two jobs equal
    assert regime.distinct_images(1.0) == (176, 8)
    small = Regime("heavy", "", "", (ImageSet("", "", 1.0, files),), tmp_path, ((16,), (32,)))
    assert small.jobs_of(0.5) == ((8,), (16,))
    assert small.jobs_of(0.3) == ((16,), (32,))  # 5 images would be too few
