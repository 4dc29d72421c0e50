"""README.md: the tour's commands run unchanged and print the output in the README."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Done = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.timeout(900)

# A block of commands, and the block of output below it, if there is one.
BLOCK = re.compile(r"^```sh\n(.*?)^```\n(?:\n```\n(.*?)^```\n)?", re.M | re.S)
# `make` runs this test; words in capitals are placeholders, except those of SQL.
NOT_RUN = re.compile(
    r"^make |^source |[ /=](?:NAME|IMAGES|LABELLED_IMAGES|OUTPUT|HOST|WEIGHTS)\b", re.M
)
# Times, process ids, and numbers that differ in their last digits from one processor to the next.
NUMBER = re.compile(r"\b\d+(?:\.\d+)?\b")
IN_TOUR = ("conf", "dist", "docs", "examples", "models", "README.md")


def blocks(readme: str) -> list[tuple[str, str]]:
    """The commands that can be run, each with its output or an empty text."""
    return [found for found in BLOCK.findall(readme) if not NOT_RUN.search(found[0])]


@pytest.mark.slow
def test_the_commands_of_the_tour_print_what_the_readme_shows(
    run_in: Callable[..., Done], repository: Path, jar: Path, tmp_path: Path
) -> None:
    for name in IN_TOUR:
        (tmp_path / name).symlink_to(repository / name)
    before = {path.name for path in tmp_path.iterdir()}
    run = blocks((repository / "README.md").read_text("utf-8"))
    assert len(run) >= 10
    for commands, shown in run:
        done = run_in(
            "bash",
            "-c",
            f"exec 2>&1; set -e; unset SPARK_SUBMIT_OPTS\n{commands}",  # conf/ sets it
            cwd=tmp_path,
            SPARK_CONF_DIR=str(repository / "conf"),
            PYTHONPATH=str(repository / "python" / "src"),
        )
        assert done.returncode == 0, commands + done.stdout[-3000:]
        printed = plain(done.stdout)
        missing = [line for line in plain(shown) if line not in printed]
        assert missing == [], f"{commands}\nprinted\n{done.stdout}"
    assert {path.name for path in tmp_path.iterdir()} - before == {"build"}, "left beside the tour"


def plain(output: str) -> list[str]:
    """The lines of an output without its numbers; `…` stands for lines that are left out."""
    lines = (NUMBER.sub("N", line).rstrip() for line in output.splitlines())
    return [re.sub(r"sha256 \w+", "sha256 H", line) for line in lines if line and line != "…"]
