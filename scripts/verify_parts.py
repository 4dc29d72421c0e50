"""The parts of the runs of verify.py: the checks and tests of each language, and their order."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv/bin"
SBT = ROOT / "scripts/sbt.sh"
REPORTS = ROOT / "target/test-reports"
FAILURES = REPORTS / "failures.txt"  # one line for each part of sbt that failed
SETTINGS = ROOT / "python/pyproject.toml"
MYPY = (BIN / "mypy", "--config-file", SETTINGS, "--cache-dir", ROOT / ".mypy_cache")


@dataclass(frozen=True)
class Part:
    """A command and its working folder.

    Args:
        reports: Glob in REPORTS for the JUnit reports of the command.
        failures: File in which the command writes one line for each reason of a failure.
        needs: Name of a part that must end first.
    """

    name: str
    command: Sequence[str | Path]
    folder: Path = ROOT
    reports: str = ""
    failures: Path | None = None
    needs: str = ""


def sbt(name: str, *tasks: str, reports: str = "") -> Part:
    """Return a part that runs sbt."""
    return Part(name, (SBT, *tasks), ROOT, reports, FAILURES)


def pytest(
    name: str,
    folder: Path,
    report: str,
    *options: str | Path,
    needs: str = "",
    tests: str = "tests",
    words: Sequence[str] = (),
) -> Part:
    """Return a part that runs the tests of a folder with the settings of python/pyproject.toml."""
    settings = ("-c", SETTINGS, "--rootdir", folder, "--continue-on-collection-errors")
    run: tuple[str | Path, ...] = ("-m", "pytest", tests, *settings, "-q", *words)
    command = (BIN / "python", *options, *run, "--junitxml", REPORTS / report)
    return Part(name, command, folder, report, needs=needs)


def types() -> list[Part]:
    """Return one part for each folder. They share a cache, so each needs the one before it."""
    parts: list[Part] = []
    for name in (
        "python",
        "examples/fraud_id",
        "examples/fruits",
        "examples/notebooks",
        "benchmarks",
    ):
        folders = () if name == "python" else (".",)
        needs = parts[-1].name if parts else ""
        parts.append(Part(f"types of {name}/", (*MYPY, *folders), ROOT / name, needs=needs))
    return [*parts, Part("types of tests/", (*MYPY, "tests", "scripts"), needs=parts[-1].name)]


PYTHON_STYLE = (
    Part("ruff check", (BIN / "ruff", "check")),
    Part("ruff format", (BIN / "ruff", "format", "--check")),
    Part("import layers", (BIN / "lint-imports", "--no-logo"), ROOT / "python"),
    *types(),
)
KUBERNETES = sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))
COMPOSE_SCHEMA = ("--builtin-schema", "vendor.compose-spec")
CONTAINER_STYLE = (
    Part("Dockerfile", (BIN / "hadolint", "Dockerfile")),
    Part("compose.yaml", (BIN / "check-jsonschema", *COMPOSE_SCHEMA, "compose.yaml")),
    Part("deploy/kubernetes", (BIN / "kubernetes-validate", "--strict", *KUBERNETES)),
)
_COVERED = ("-m", "coverage", "run")
# Training runs in a process without other frameworks than torch, as it does for users: each
# framework brings its own OpenMP.
TRAINING = "tests/train"
PYTHON_TESTS = pytest(
    "tests of python/", ROOT / "python", "python.xml", *_COVERED, words=("--ignore", TRAINING)
)
TRAINING_TESTS = pytest(
    "tests of training",
    ROOT / "python",
    "training.xml",
    *_COVERED,
    "--append",
    needs=PYTHON_TESTS.name,
    tests=TRAINING,
)
# Fails below the limit in python/pyproject.toml.
COVERAGE = Part(
    "branch coverage of python/",
    (BIN / "python", "-m", "coverage", "report"),
    ROOT / "python",
    needs=TRAINING_TESTS.name,
)
SCALA_STYLE = sbt("Scala style", "verifyStyle")
SCALA_TESTS = sbt("Scala style and tests", "verify", reports="scalatest/*.xml")
JAR = sbt("dist/sightline.jar", "assembly")


def other_jars() -> list[Part]:
    """Return one part for the jar of each Spark in .tools, one after the other, as sbt needs it."""
    parts: list[Part] = []
    for lock in sorted(ROOT.glob(".tools/spark-*/installed.lock")):
        line = lock.parent.name.removeprefix("spark-")
        part = sbt(f"dist/sightline_spark-{line}.jar", f"-Dspark.line={line}", "assembly")
        parts.append(replace(part, needs=(parts[-1] if parts else JAR).name))
    return parts


# Every Spark application of the end-to-end tests starts with it.
CLASS_ARCHIVE = Part(".tools/spark.jsa", (ROOT / "scripts/make_class_archive.sh",), needs=JAR.name)

# End-to-end tests by what they start, the longest group first. The tests without a group share one
# application for commands.
OTHER_SPARKS = "other Sparks"
GROUPS = {
    "notebooks and tour": ("test_notebooks.py", "test_readme.py", "test_sql_reference.py"),
    "object stores and training": ("clouds", "train"),
    "stages": ("ml", "peers", "plugins"),
    "clients": (
        "test_commands.py",
        "test_connect.py",
        "test_fraud_id_model.py",
        "test_jar.py",
        "test_jdbc.py",
        "test_pyspark.py",
        "test_pyspark_errors.py",
        "test_report_page.py",
        "test_sql.py",
    ),
    OTHER_SPARKS: ("sparks",),
}


def style() -> list[Part]:
    """Return the checks of both languages, without tests."""
    return [SCALA_STYLE, *PYTHON_STYLE, *CONTAINER_STYLE]


def quick() -> list[Part]:
    """Return the checks of the changed languages, and the fast tests."""
    scala, python = changed_languages()
    tests = pytest("fast tests of python/", ROOT / "python", "python.xml")
    fast = Part(tests.name, (*tests.command, "-m", "not slow"), tests.folder, tests.reports)
    tasks = [*(["verifyStyle"] if scala else []), "fastSuites"]
    suites = sbt("fast suites in Scala", *tasks, reports="scalatest/*.xml")
    return [suites, *(PYTHON_STYLE if python else ()), fast]


def coverage() -> list[Part]:
    """Return the tests of python/, and the report of their coverage."""
    return [PYTHON_TESTS, TRAINING_TESTS, COVERAGE]


def everything() -> list[Part]:
    """Return all checks and all tests, the longest first, so that all threads end together."""
    return [
        *(jars := [JAR, *other_jars()]),
        replace(SCALA_TESTS, needs=jars[-1].name),
        CLASS_ARCHIVE,
        *end_to_end(jars[-1].name),
        PYTHON_TESTS,
        TRAINING_TESTS,
        COVERAGE,
        *PYTHON_STYLE,
        *CONTAINER_STYLE,
        pytest("tests of benchmarks/", ROOT / "benchmarks", "benchmarks.xml"),
    ]


def end_to_end(last_jar: str) -> list[Part]:
    """Return one part for the tests without a group, and one for each group."""
    named = [name for names in GROUPS.values() for name in names]
    ignored = [f"--ignore=tests/{name}" for name in named]
    needs = CLASS_ARCHIVE.name
    rest = pytest("tests end to end: commands", ROOT, "commands.xml", needs=needs)
    parts = [replace(rest, command=(*rest.command, *ignored))]
    for group, names in GROUPS.items():
        report = f"{group.replace(' ', '-')}.xml"
        part = pytest(f"tests end to end: {group}", ROOT, report, needs=needs)
        options = [word for word in part.command if word != "tests"]
        needs_jars = last_jar if group == OTHER_SPARKS else needs
        command = (*options, *(f"tests/{name}" for name in names))
        parts.append(replace(part, command=command, needs=needs_jars))
    return parts


PLANS = {"style": style, "quick": quick, "coverage": coverage, "everything": everything}


def changed_languages() -> tuple[bool, bool]:
    """Return whether Scala and Python files differ from branch main; both if git fails."""
    base = _git("merge-base", "HEAD", "main")
    changed = _git("diff", "--name-only", *base) if base else None
    untracked = _git("ls-files", "--others", "--exclude-standard")
    if changed is None or untracked is None:
        return True, True
    suffixes = {Path(name).suffix for name in [*changed, *untracked]}
    return bool(suffixes & {".scala", ".sbt", ".conf"}), bool(suffixes & {".py", ".toml"})


def _git(*arguments: str) -> list[str] | None:
    """Return the lines that git prints, or None if it fails."""
    try:
        command = ["git", *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.split("\n")[:-1]
