"""A subset of links, and its features by the jar."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Done = subprocess.CompletedProcess[str]
Row = dict[str, Any]
pytestmark = pytest.mark.timeout(600)


def test_the_jar_follows_the_links_of_a_sample_and_reads_its_manifest(
    run_command: Callable[..., Done],
    alone: Callable[..., Done],
    means_bundle: Path,
    paint: Callable[..., bytes],
    tmp_path: Path,
    rows_of: Callable[[Path], list[Row]],
) -> None:
    for split, label, colour in (("Training", "cherry", "red"), ("Test", "kiwi", "lime")):
        folder = tmp_path / "fruits" / split / label
        folder.mkdir(parents=True)
        for at in range(10):
            (folder / f"{at}.png").write_bytes(paint(colour))
    subset = ("subset", "--percentage", 20, "--images", tmp_path / "fruits")
    for more in (("--output", tmp_path / "links"), ("--output", tmp_path / "listed", "--manifest")):
        done = alone(*subset, *more)
        assert done.returncode == 0, done.stderr
    images = {"links": tmp_path / "links", "listed": tmp_path / "listed/manifest.csv"}
    for name, path in images.items():
        output = tmp_path / f"{name}_features"
        done = run_command(
            "features", "--images", path, "--model", means_bundle, "--output", output
        )
        assert done.returncode == 0, done.stderr
    found = {
        name: sorted(
            (row["split"], row["label"], row["filename"], row["features"])
            for row in rows_of(tmp_path / f"{name}_features")
        )
        for name in images
    }
    assert found["links"] == found["listed"]
    assert [(split, label, features) for split, label, _, features in found["links"]] == [
        ("test", "kiwi", [0.0, 255.0, 0.0]),
        ("test", "kiwi", [0.0, 255.0, 0.0]),
        ("train", "cherry", [255.0, 0.0, 0.0]),
        ("train", "cherry", [255.0, 0.0, 0.0]),
    ]
