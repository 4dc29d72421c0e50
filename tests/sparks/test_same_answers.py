"""One program on Spark 4.0, 4.1 and 4.2 and on the newest JDK gives the same rows and errors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Answers = dict[str, list[dict[str, Any]]]
ROOT = Path(__file__).resolve().parents[2]
MAIN = "4.1"  # the Spark of .venv, and the jar that the other tests use
LINES = ("4.0", MAIN, "4.2")
# Short JVMs: one compiler, one collector.
JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
OLD_HADOOP = "Hadoop before 3.5 calls Subject.getSubject, which Java refuses since version 24"
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def ask(
    gallery: Path, colour_bundle: Path, means_bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Answers]:
    """``ask("4.0", java)``: the answers of answers.py on a Spark; each is asked once."""
    known: dict[tuple[str, Path | None], Answers] = {}

    def call(line: str, java: Path | None = None) -> Answers:
        if (line, java) not in known:
            folder = tmp_path_factory.mktemp(f"spark-{line}")
            words = [gallery, colour_bundle, means_bundle, folder]
            known[line, java] = run(line, java, [str(jar_for(line)), *map(str, words)], folder)
        return known[line, java]

    return call


def jar_for(line: str) -> Path:
    name = "sightline.jar" if line == MAIN else f"sightline_spark-{line}.jar"
    jar = ROOT / "dist" / name
    if not jar.is_file():
        pytest.skip(f"dist/{name} is missing: run `make jar SPARK={line}`.")
    return jar


def run(line: str, java: Path | None, words: list[str], folder: Path) -> Answers:
    own = ROOT / ".tools" / f"spark-{line}"
    paths = [ROOT / "python/src"] if line == MAIN else [own, ROOT / "python/src"]
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("SPARK_", "PYSPARK_"))}
    variables = {
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_SUBMIT_OPTS": JVM,
        "EXECUTOR_OPTIONS": JVM,
    }
    if line != MAIN:
        variables["SPARK_HOME"] = str(own / "pyspark")
    if java is not None:
        variables["JAVA_HOME"] = str(java)
    done = subprocess.run(  # noqa: S603 - the repository's own program
        [sys.executable, str(Path(__file__).with_name("answers.py")), *words],
        cwd=folder,
        env=kept | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    printed = json.loads(done.stdout.splitlines()[-1])
    assert printed["spark"].startswith(f"{line}.")
    if java is not None:
        assert printed["java"] == str(version_of(java))
    answers: Answers = printed["answers"]
    return answers


def version_of(java: Path) -> int:
    """The major version of a Java installation, such as 25; 0 for another folder."""
    release = java / "release"
    found = re.search(r'JAVA_VERSION="(\d+)', release.read_text()) if release.is_file() else None
    return int(found[1]) if found else 0


def newest_java() -> Path | None:
    """The newest Java installation of the system that is newer than 23; None if there is none."""
    homes = [path for path in Path("/usr/lib/jvm").glob("*") if version_of(path) > 23]
    return max(homes, key=version_of, default=None)


def test_spark_4_1_gives_the_expected_rows(ask: Callable[..., Answers]) -> None:
    answers = ask(MAIN)
    labels = {row["name"]: (row["label"], row["error"]) for row in answers["ml_predict"]}
    assert labels == {
        "top.png": ("red", None),
        "red/a.png": ("red", None),
        "red/b, with comma.png": ("blue", None),
        "green/c d.jpg": ("green", None),
        "green/e%20ü😀.webp": ("green", None),
        "blue/f.bmp": ("blue", None),
        "blue/g:h#1.gif": ("blue", None),
        "red/empty.png": (None, "EMPTY"),
        "red/text.png": (None, "UNSUPPORTED"),
        "blue/huge.png": (None, "TOO_LARGE"),
        "blue/truncated.jpg": (None, "TRUNCATED"),
        "green/gone.png": (None, None),  # without bytes there is no answer
    }
    assert [row["name"] for row in answers["filter on the answer"]] == ["red/a.png", "top.png"]
    assert answers["a model that is not there"] == [
        {"raised": "AnalysisException", "code": "UNKNOWN_MODEL", "state": "42704"}
    ]
    assert [row["none"] for row in answers["NULL and bytes that are no image"]] == [True, False]
    assert answers["statement 5"] == [{"ml_predict('colours', content).label": "red"}]
    (nodes,) = answers["inferences"]
    assert (nodes["equal calls"], nodes["two models"], nodes["limit 0"]) == (1, 2, 0)
    predicted = {row["name"]: (row["label"], row["error"]) for row in answers["predict"]}
    # A command has an error for a file without bytes, and a SQL function of its bytes has NULL.
    assert predicted == labels | {"green/gone.png": (None, "NOT_FOUND")}


@pytest.mark.parametrize("line", [line for line in LINES if line != MAIN])
def test_another_spark_gives_the_answers_of_4_1(ask: Callable[..., Answers], line: str) -> None:
    expected, found = ask(MAIN), ask(line)
    assert found.keys() == expected.keys()
    for name, rows in expected.items():
        assert found[name] == rows, name


@pytest.mark.parametrize("line", LINES)
def test_the_newest_java_gives_the_same_answers(ask: Callable[..., Answers], line: str) -> None:
    if line != "4.2":
        pytest.skip(OLD_HADOOP)
    java = newest_java()
    if java is None:
        pytest.skip("No Java after version 23 is installed in /usr/lib/jvm.")
    assert ask(line, java) == ask(MAIN)
