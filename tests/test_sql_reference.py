"""docs/sql.md: every example runs, in order, and gives the output on the page."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

MADE = runpy.run_path(str(Path(__file__).parent / "tensor_bundles.py"))

Done = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.timeout(600)

EXAMPLE = re.compile(r"^```sql\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.M | re.S)
PYTHON_EXAMPLE = re.compile(
    r"^```python\n((?:(?!^```).)*?)^```\n\n```text\n(.*?)^```\n", re.M | re.S
)
MARK = "=== "

# The page's setup for Python: a session with the jar, and the models created by SQL.
PREAMBLE = """
import sys
from pyspark.sql import SparkSession
from sightline.functions import ml_features, ml_predict

spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", sys.argv[1])
    .config("spark.sql.extensions", "sightline.sql.SightlineExtensions")
    .config("spark.sightline.models", "models")
    .config("spark.sql.shuffle.partitions", "2")
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)
for name in ("colours", "means", "iris", "encoder"):
    spark.sql(f"CREATE MODEL {name} USING 'bundles/{name}'")
"""


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs" / "sql.md").read_text("utf-8")


@pytest.fixture
def folder(
    paint: Callable[..., bytes], colour_bundle: Path, means_bundle: Path, tmp_path: Path
) -> Path:
    """The working folder that the page describes."""
    for name, content in {
        "photos/red/a.png": paint("red"),
        "photos/blue/b.png": paint("blue"),
        "photos/notes.png": b"This is text.",
        "labels.csv": b"path,label\nred/a.png,red\nblue/b.png,blue\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    shutil.copytree(colour_bundle, tmp_path / "bundles" / "colours")
    shutil.copytree(means_bundle, tmp_path / "bundles" / "means")
    MADE["write_iris"](tmp_path / "bundles" / "iris")
    MADE["write_encoder"](tmp_path / "bundles" / "encoder")
    return tmp_path


def test_every_sql_example_on_the_page_gives_its_output(
    spark_sql: Callable[..., Done], page: str, folder: Path
) -> None:
    examples = EXAMPLE.findall(page)
    assert len(examples) >= 16
    script = "\n".join(f"SELECT '{MARK}{i}';\n{sql}" for i, (sql, _) in enumerate(examples))
    done = spark_sql(script, "--conf", "spark.sightline.models=models", cwd=folder)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    compare(done.stdout, examples)


def test_every_python_example_on_the_page_gives_its_output(
    run_in: Callable[..., Done], repository: Path, jar: Path, page: str, folder: Path
) -> None:
    examples = PYTHON_EXAMPLE.findall(page)
    assert len(examples) >= 3
    script = folder / "examples.py"
    parts = (f'print("{MARK}{i}", flush=True)\n{code}' for i, (code, _) in enumerate(examples))
    script.write_text("\n".join([PREAMBLE, *parts]))
    python = repository / ".venv" / "bin" / "python"
    sources = str(repository / "python" / "src")
    done = run_in(python, script, jar, cwd=folder, PYTHONPATH=sources)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    # show() ends in an empty line, which the page leaves out.
    compare(done.stdout.replace("+\n\n", "+\n"), examples)


def compare(printed: str, examples: list[tuple[str, str]]) -> None:
    """Compare the output of each example with the page, if the page has it."""
    outputs = re.split(rf"^{MARK}\d+\n", printed, flags=re.M)[1:]
    assert len(outputs) == len(examples)
    for (code, expected), found in zip(examples, outputs, strict=True):
        if expected:
            assert shown(found) == expected, code


def shown(text: str) -> str:
    """Shorten hashes and remove empty cells at the end of a line, as on the page."""
    return re.sub(r"[ \t]+$", "", re.sub(r"\b([0-9a-f]{8})[0-9a-f]{56}\b", r"\1", text), flags=re.M)
