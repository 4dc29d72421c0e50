"""docs/sql.md: every example runs, in order, and gives what stands below it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Done = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.timeout(600)

EXAMPLE = re.compile(r"^```sql\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.M | re.S)
MARK = "=== "


def test_every_example_of_the_reference_gives_what_it_says(
    spark_sql: Callable[..., Done],
    paint: Callable[..., bytes],
    repository: Path,
    colour_bundle: Path,
    means_bundle: Path,
    tmp_path: Path,
) -> None:
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

    examples = EXAMPLE.findall((repository / "docs" / "sql.md").read_text("utf-8"))
    assert len(examples) >= 14
    script = "\n".join(f"SELECT '{MARK}{i}';\n{sql}" for i, (sql, _) in enumerate(examples))
    done = spark_sql(script, "--conf", "spark.sightline.models=models", cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    said = re.split(rf"^{MARK}\d+\n", done.stdout, flags=re.M)[1:]
    assert len(said) == len(examples)
    for (sql, expected), found in zip(examples, said, strict=True):
        if expected:
            assert shown(found) == expected, sql


def shown(text: str) -> str:
    """Hashes are shortened, and empty cells at the end of a line left out, as the page has them."""
    return re.sub(r"[ \t]+$", "", re.sub(r"\b([0-9a-f]{8})[0-9a-f]{56}\b", r"\1", text), flags=re.M)
