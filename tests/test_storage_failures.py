"""Storage that is full, not writable, unreachable or not there: one line, from both languages."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Done = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(params=["jar", "alone"])
def predict(
    request: pytest.FixtureRequest,
    run_command: Callable[..., Done],
    alone: Callable[..., Done],
    colour_bundle: Path,
) -> Callable[..., Done]:
    """``predict(images, output, *options)``, by the jar and by the Python package."""
    run = run_command if request.param == "jar" else alone

    def call(images: object, output: object, *options: object) -> Done:
        usual = ("--images", images, "--model", colour_bundle, "--output", output)
        return run("predict", *usual, *options)

    return call


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB, or a skip where this user may mount none."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:  # noqa: S603,PLW1510
        pytest.skip("this user may not mount a tmpfs, so no disk can be filled")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S603,S607


def assert_told(done: Done, condition: str, status: int) -> None:
    assert done.returncode == status, done.stderr[-3000:]
    assert done.stderr.splitlines()[-1].startswith(f"sightline: {condition}: ")
    assert "Traceback" not in done.stderr
    assert "\tat " not in done.stderr


@pytest.mark.parametrize("language", ["submit", "alone"])
def test_a_full_disk_is_told_in_one_line_and_leaves_nothing(
    language: str,
    request: pytest.FixtureRequest,
    gallery: Path,
    colour_bundle: Path,
    small_disk: Path,
) -> None:
    (small_disk / "other").write_bytes(b"x" * (60 << 10))
    # A process of its own: what is left is looked for when that has ended.
    run: Callable[..., Done] = request.getfixturevalue(language)
    usual = ("--images", gallery, "--model", colour_bundle, "--output", small_disk / "out")
    done = run("predict", *usual)
    assert_told(done, "DISK_FULL", 1)
    assert [path.name for path in small_disk.iterdir()] == ["other"]


def test_an_output_below_a_file_is_refused_before_any_image_is_read(
    predict: Callable[..., Done], gallery: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    done = predict(gallery, tmp_path / "file" / "out")
    assert_told(done, "OUTPUT_NOT_WRITABLE", 2)
    assert f"{tmp_path}/file" in done.stderr.splitlines()[-1]


def test_a_read_only_disk_is_no_place_for_an_output(
    predict: Callable[..., Done], gallery: Path, small_disk: Path
) -> None:
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    subprocess.run(remount, check=True)  # noqa: S603
    assert_told(predict(gallery, small_disk / "out"), "OUTPUT_NOT_WRITABLE", 2)


def test_a_file_that_is_not_there_is_named(predict: Callable[..., Done], tmp_path: Path) -> None:
    done = predict(tmp_path / "none.csv", tmp_path / "out")
    assert_told(done, "PATH_NOT_FOUND", 2)
    assert os.fspath(tmp_path / "none.csv") in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("images", "condition"),
    [
        ("foo://bucket/photos", "UNKNOWN_SCHEME"),
        ("hdfs://nohost/photos", "UNKNOWN_HOST"),
        ("hdfs://127.0.0.1:9/photos", "STORAGE_UNREACHABLE"),
    ],
)
def test_places_that_the_jar_cannot_reach_are_told_in_one_line(
    run_command: Callable[..., Done],
    colour_bundle: Path,
    tmp_path: Path,
    images: str,
    condition: str,
) -> None:
    usual = ("--images", images, "--model", colour_bundle, "--output", tmp_path / "out")
    done = run_command("predict", *usual, "--limit", "3")
    status = 1 if condition == "STORAGE_UNREACHABLE" else 2
    assert_told(done, condition, status)


def test_a_value_that_cannot_be_read_is_told_the_same_way_by_both(
    predict: Callable[..., Done], gallery: Path, tmp_path: Path
) -> None:
    done = predict(gallery, tmp_path / "out", "--limit", "x")
    assert_told(done, "INVALID_OPTION", 2)
    assert "--limit" in done.stderr.splitlines()[-1]
    assert "java.lang" not in done.stderr


def test_what_holds_no_predictions_cannot_be_evaluated(
    run_command: Callable[..., Done], tmp_path: Path
) -> None:
    wrong = {
        "text.csv": b"no,predictions\n1,2\n",
        "empty.parquet": b"",
        "photo.jpg": b"\xff\xd8\xff\xe0 no photo",
    }
    for name, content in wrong.items():
        (tmp_path / name).write_bytes(content)
        done = run_command(
            "evaluate", "--predictions", tmp_path / name, "--output", tmp_path / "out"
        )
        assert_told(done, "NOT_PREDICTIONS", 2)
        assert name in done.stderr.splitlines()[-1]
