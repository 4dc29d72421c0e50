"""scripts/verify.py: parts run in parallel, and their tests are counted."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "verify.py"

REPORT = """<testsuite>
<testcase classname="a" name="good"/>
<testcase classname="a" name="bad"><failure/></testcase>
<testcase classname="a" name="left out"><skipped/></testcase>
</testsuite>"""


@pytest.fixture
def verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The script's definitions, with its reports in a folder of the test."""
    monkeypatch.syspath_prepend(SCRIPT.parent)
    made = runpy.run_path(str(SCRIPT))
    made["Verification"].run.__globals__["REPORTS"] = tmp_path / "reports"
    return made


def part(verify: dict[str, Any], name: str, program: str, **more: Any) -> Any:  # noqa: ANN401
    return verify["Part"](name, (sys.executable, "-c", program), **more)


def report(folder: Path) -> str:
    """A program that writes a report with one passed, one failed and one skipped test."""
    return f"""
from pathlib import Path
folder = Path({str(folder)!r})
folder.mkdir(parents=True, exist_ok=True)
(folder / "tests.xml").write_text({REPORT!r})
raise SystemExit(1)
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_all_parts_run_and_their_tests_and_failures_are_counted(
    verify: dict[str, Any], tmp_path: Path, threads: int, capfd: pytest.CaptureFixture[str]
) -> None:
    tests = part(verify, "tests", report(tmp_path / "reports"), reports="tests.xml")
    style = part(verify, "style", "print('a fault of style'); raise SystemExit(3)")
    silent = part(verify, "silent", "", reports="none.xml")
    counts = verify["Verification"]([tests, silent, style], threads).run()
    assert counts.line() == "1 passed, 3 failed, 1 skipped"
    assert sorted(counts.reasons) == [
        "silent: no test has reported",
        "style: exit status 3",
        "tests: a: bad",
    ]
    assert "a fault of style\n" in capfd.readouterr().out


def test_the_failures_of_an_sbt_task_are_reported_only_for_its_part(
    verify: dict[str, Any], tmp_path: Path
) -> None:
    failures = tmp_path / "failures.txt"
    write = f"open({str(failures)!r}, 'w').write('scalafmt: one file'); raise SystemExit(1)"
    scala = part(verify, "Scala", write, failures=failures)
    python = part(verify, "Python", "", needs="Scala")
    counts = verify["Verification"]([scala, python], 2).run()
    assert counts.reasons == ["Scala: scalafmt: one file"]
    assert counts.line() == "0 passed, 1 failed"
    assert not failures.exists()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_part_starts_after_the_part_that_it_needs_has_ended(
    verify: dict[str, Any], tmp_path: Path, threads: int
) -> None:
    jar = tmp_path / "jar"
    make = part(verify, "jar", f"import time; time.sleep(0.3); open({str(jar)!r}, 'w')")
    use = part(verify, "end to end", f"open({str(jar)!r})", needs="jar")
    assert verify["Verification"]([use, make], threads).run().reasons == []


@pytest.mark.parametrize("wanted", [1, 4])
def test_the_number_of_parallel_parts_can_be_chosen(
    verify: dict[str, Any], wanted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERIFY_THREADS", str(wanted))
    assert verify["number_of_threads"]() == wanted


@pytest.mark.parametrize(("gigabytes", "threads"), [(3, 1), (7, 1), (9, 2), (13, 3), (64, 3)])
def test_one_part_runs_for_each_4_gb_of_memory_and_at_most_three(
    verify: dict[str, Any], monkeypatch: pytest.MonkeyPatch, gigabytes: int, threads: int
) -> None:
    monkeypatch.delenv("VERIFY_THREADS", raising=False)
    pages = gigabytes * 10**9 // 4096
    monkeypatch.setattr("os.sysconf", lambda name: {"SC_PAGE_SIZE": 4096}.get(name, pages))
    monkeypatch.setattr("pathlib.Path.read_text", lambda *_: "max")  # no limit of a container
    assert verify["number_of_threads"]() == threads


def test_the_script_fails_if_a_part_cannot_start_and_still_runs_the_others(
    verify: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    absent = verify["Part"]("absent", ("/nowhere/program",))
    other = part(verify, "other", "print('≤ ran')")
    last = part(verify, "last", "")
    names = verify["main"].__globals__
    names["PLANS"] = {"everything": lambda: [absent, other, last]}
    names["number_of_threads"] = lambda: 2
    assert verify["main"](["everything"]) == 1
    printed = capfd.readouterr().out
    assert "ran" in printed
    assert "FAILED absent: FileNotFoundError" in printed
    assert printed.endswith("0 passed, 1 failed\n")


def test_an_empty_file_of_failures_is_a_failure(verify: dict[str, Any], tmp_path: Path) -> None:
    failures = tmp_path / "failures.txt"
    failures.write_text("")
    broken = part(verify, "broken", "raise SystemExit(1)", failures=failures)
    counts = verify["Verification"]([broken], 1).run()
    assert counts.reasons == ["broken: exit status 1"]
    assert counts.line() == "0 passed, 1 failed"
