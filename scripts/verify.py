"""Run the checks, or the checks and every test, and end with why it failed and one line of counts.

verify.py style        format, style, types and layers
verify.py everything   those, the tests in Scala and Python, and dist/sightline.jar
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv/bin"
REPORTS = ROOT / "target/test-reports"
FAILURES = REPORTS / "failures.txt"  # a line for each part of sbt's that failed
MYPY = (
    BIN / "mypy",
    "--config-file",
    ROOT / "python/pyproject.toml",
    "--cache-dir",
    ROOT / ".mypy_cache",
)


@dataclass(frozen=True)
class Part:
    """A command, and where it runs; a part that tests leaves JUnit reports."""

    name: str
    command: Sequence[str | Path]
    folder: Path = ROOT
    reports: str = ""  # a glob in REPORTS


@dataclass
class Counts:
    """What the tests came to; a part that fails without a failed test counts as one."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    reasons: list[str] = field(default_factory=list)


STYLE = (
    Part("ruff check", (BIN / "ruff", "check")),
    Part("ruff format", (BIN / "ruff", "format", "--check")),
    Part("import layers", (BIN / "lint-imports", "--no-logo"), ROOT / "python"),
    Part("types of python/", MYPY, ROOT / "python"),
    Part("types of examples/fraud_id", (*MYPY, "."), ROOT / "examples/fraud_id"),
    Part("types of examples/fruits", (*MYPY, "."), ROOT / "examples/fruits"),
    Part("types of benchmarks/", (*MYPY, "."), ROOT / "benchmarks"),
    Part("types of tests/", (*MYPY, "tests", "scripts")),
)


def pytest(name: str, folder: Path, tests: str, report: str) -> Part:
    """A run of pytest in a folder, with the settings of python/pyproject.toml."""
    settings = ("-c", ROOT / "python/pyproject.toml", "--rootdir", folder)
    options = ("-q", "--continue-on-collection-errors", "--junitxml", REPORTS / report)
    command = (BIN / "python", "-m", "pytest", tests, *settings, *options)
    return Part(name, command, folder, report)


PARTS = {
    "style": (*STYLE, Part("Scala style", (ROOT / "scripts/sbt.sh", "verifyStyle"))),
    "everything": (
        *STYLE,
        Part(
            "Scala style, tests and jar",
            (ROOT / "scripts/sbt.sh", "verify"),
            ROOT,
            "scalatest/*.xml",
        ),
        pytest("tests of python/", ROOT / "python", "tests", "python.xml"),
        pytest("tests of benchmarks/", ROOT / "benchmarks", "tests", "benchmarks.xml"),
        pytest("tests end to end", ROOT, "tests", "end-to-end.xml"),
    ),
}


def main(arguments: Sequence[str]) -> int:
    """Run each part, whatever the others did. Returns 0 if all passed, else 1; 2 for wrong use."""
    if len(arguments) != 1 or arguments[0] not in PARTS:
        print(f"WRONG_ARGUMENTS: verify.py {'|'.join(PARTS)}", file=sys.stderr)
        return 2
    for stale in REPORTS.rglob("*.xml"):
        stale.unlink()
    FAILURES.unlink(missing_ok=True)
    counts = Counts()
    for part in PARTS[arguments[0]]:
        run(part, counts)
    for reason in counts.reasons:
        print(f"FAILED {reason}")
    if arguments[0] == "everything":
        skipped = f", {counts.skipped} skipped" if counts.skipped else ""
        print(f"{counts.passed} passed, {counts.failed} failed{skipped}")
    return 1 if counts.reasons else 0


def run(part: Part, counts: Counts) -> None:
    """Run one part and add what it came to."""
    print(f"==> {part.name}", flush=True)
    start = time.monotonic()
    status = subprocess.run(part.command, cwd=part.folder, check=False).returncode  # noqa: S603
    print(f"    {part.name}: {time.monotonic() - start:.0f} s", flush=True)
    failed = counts.failed
    reported = count(part, counts) if part.reports else 0
    if FAILURES.exists():
        counts.reasons += [f"{part.name}: {line}" for line in FAILURES.read_text().splitlines()]
        FAILURES.unlink()
        counts.failed = max(counts.failed, failed + 1)
    elif status != 0 and counts.failed == failed:
        fail(f"{part.name}: exit status {status}", counts)
    elif part.reports and not reported:
        fail(f"{part.name}: no test has reported", counts)


def count(part: Part, counts: Counts) -> int:
    """Add the test cases of a part's JUnit reports. Returns how many there are."""
    reported = 0
    for path in sorted(REPORTS.glob(part.reports)):
        for case in ElementTree.parse(path).iter("testcase"):  # noqa: S314 - written just now
            reported += 1
            if case.find("failure") is not None or case.find("error") is not None:
                fail(f"{part.name}: {case.get('classname')}: {case.get('name')}", counts)
            elif case.find("skipped") is not None:
                counts.skipped += 1
            else:
                counts.passed += 1
    return reported


def fail(reason: str, counts: Counts) -> None:
    """Count one failure, and keep its reason for the end."""
    counts.failed += 1
    counts.reasons.append(reason)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
