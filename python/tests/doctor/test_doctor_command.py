from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from sightline.cli.main import main
from sightline.doctor.finding import Finding, as_text, from_error, summary
from sightline.errors import SightlineError

SOURCES = Path(__file__).parents[2] / "src"


def test_a_sound_set_up_has_no_blocker_and_status_0(
    colour_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "result" / "out"
    assert main(["doctor", "--model", str(colour_bundle), "--output", str(output), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    names = [one["name"] for one in answer["findings"]]
    assert answer["blockers"] == 0
    assert {"PYTHON", "PACKAGES", "GPUS", "OUTPUT", "BACKEND", "MODEL", "MEMORY"} <= set(names)
    assert not output.parent.exists()


def test_a_blocker_is_printed_first_with_its_fix_and_status_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor", "--output", "/proc/predictions", "--threads", "4000"]) == 1
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0].startswith("blocker  OUTPUT_NOT_WRITABLE (driver): nothing can be written in")
    assert lines[2] == ("           fix: Choose another --output, or change the permissions.")
    assert lines[3].startswith("warning  TOO_MANY_THREADS (driver): 4000 threads on ")
    assert lines[-1] == "1 blocker, 1 warning: fix OUTPUT_NOT_WRITABLE first."
    assert printed.err == f"sightline: SETUP_BLOCKED: {lines[-1]}\n"


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["--model", "resnet5"], "UNKNOWN_MODEL"),
        (["--backend", "onx"], "UNKNOWN_BACKEND"),
        (["--models", "/nowhere/models"], "MODELS_ROOT_UNUSABLE"),
    ],
)
def test_a_wrong_name_is_a_blocker(
    arguments: list[str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--json", *arguments]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in answer["findings"] if one["severity"] == "blocker"] == [name]


def test_memory_is_too_small_for_a_large_batch(
    colour_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = ["--batch-rows", "1000000000", "--threads", "1"]
    assert main(["doctor", "--json", "--model", str(colour_bundle), *batch]) == 1
    (found, *_) = json.loads(capsys.readouterr().out)["findings"]
    assert found["name"] == "MEMORY_TOO_SMALL"
    assert found["fix"].startswith("Use --batch-rows 250000000 or fewer threads")


def test_an_interpreter_without_packages_reports_them(tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    done = subprocess.run(  # noqa: S603 - an interpreter that the test made
        [
            tmp_path / "bare" / "bin" / "python",
            "-m",
            "sightline.doctor.print_findings",
            '{"where": "executor 3"}',
        ],
        env={"PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=True,
    )
    (found, *_) = json.loads(done.stdout)["findings"]
    assert (found["name"], found["where"]) == ("MISSING_PACKAGE", "executor 3")
    assert found["found"].endswith("has no numpy, pyarrow, PIL, safetensors, onnxruntime")


def test_an_error_is_divided_into_what_was_found_and_the_fix() -> None:
    error = SightlineError("DISK_FULL", "/a.b/c is full (0.5 MB). Free some space. Or wait.")
    assert from_error(error, "because") == Finding(
        "DISK_FULL", "blocker", "/a.b/c is full (0.5 MB).", "because", "Free some space. Or wait."
    )


def test_the_summary_counts_and_names_the_first_fix() -> None:
    warning = Finding("SLOW", "warning", "slow", "it is slow", "wait")
    fine = Finding("PYTHON", "ok", "Python 3.11", where="executor 1 (host)")
    assert summary([fine]) == "1 checks, no blocker and no warning."
    assert as_text([fine, warning, warning]).splitlines() == [
        *["warning  SLOW (driver): slow", "           why: it is slow", "           fix: wait"] * 2,
        "ok       PYTHON (executor 1 (host)): Python 3.11",
        "2 warnings: fix SLOW first.",
    ]


def test_the_package_needs_nothing_heavy_to_start() -> None:
    program = "import sys, sightline.doctor.examine; print('numpy' in sys.modules)"
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
