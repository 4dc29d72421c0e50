"""Full, read-only, unreachable or missing storage: an error of one line in both languages."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
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


def assert_one_line_error(done: Done, condition: str, status: int) -> None:
    assert done.returncode == status, done.stderr[-3000:]
    assert done.stderr.splitlines()[-1].startswith(f"sightline: {condition}: ")
    assert "Traceback" not in done.stderr
    assert "\tat " not in done.stderr


@pytest.mark.parametrize("language", ["submit", "alone"])
def test_a_full_disk_is_a_one_line_error_and_leaves_no_files(
    language: str,
    request: pytest.FixtureRequest,
    gallery: Path,
    colour_bundle: Path,
    small_disk: Path,
) -> None:
    (small_disk / "other").write_bytes(b"x" * (60 << 10))
    # A separate process, because its files are checked after it has ended.
    run: Callable[..., Done] = request.getfixturevalue(language)
    usual = ("--images", gallery, "--model", colour_bundle, "--output", small_disk / "out")
    done = run("predict", *usual)
    assert_one_line_error(done, "DISK_FULL", 1)
    assert [path.name for path in small_disk.iterdir()] == ["other"]


def test_an_output_below_a_file_is_refused_before_any_image_is_read(
    predict: Callable[..., Done], gallery: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    done = predict(gallery, tmp_path / "file" / "out")
    assert_one_line_error(done, "OUTPUT_NOT_WRITABLE", 2)
    assert f"{tmp_path}/file" in done.stderr.splitlines()[-1]


def test_an_output_on_a_read_only_disk_is_refused(
    predict: Callable[..., Done], gallery: Path, small_disk: Path
) -> None:
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    subprocess.run(remount, check=True)  # noqa: S603
    assert_one_line_error(predict(gallery, small_disk / "out"), "OUTPUT_NOT_WRITABLE", 2)


def test_the_error_for_a_missing_file_has_its_path(
    predict: Callable[..., Done], tmp_path: Path
) -> None:
    done = predict(tmp_path / "none.csv", tmp_path / "out")
    assert_one_line_error(done, "PATH_NOT_FOUND", 2)
    assert os.fspath(tmp_path / "none.csv") in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("images", "condition"),
    [
        ("foo://bucket/photos", "UNKNOWN_SCHEME"),
        ("hdfs://nohost/photos", "UNKNOWN_HOST"),
        ("hdfs://127.0.0.1:9/photos", "STORAGE_UNREACHABLE"),
    ],
)
def test_unreachable_storage_is_a_one_line_error(
    run_command: Callable[..., Done],
    colour_bundle: Path,
    tmp_path: Path,
    images: str,
    condition: str,
) -> None:
    usual = ("--images", images, "--model", colour_bundle, "--output", tmp_path / "out")
    done = run_command("predict", *usual, "--limit", "3")
    status = 1 if condition == "STORAGE_UNREACHABLE" else 2
    assert_one_line_error(done, condition, status)


def test_an_invalid_value_is_the_same_error_in_both_languages(
    predict: Callable[..., Done], gallery: Path, tmp_path: Path
) -> None:
    done = predict(gallery, tmp_path / "out", "--limit", "x")
    assert_one_line_error(done, "INVALID_OPTION", 2)
    assert "--limit" in done.stderr.splitlines()[-1]
    assert "java.lang" not in done.stderr


def test_a_folder_without_predictions_cannot_be_evaluated(
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
        assert_one_line_error(done, "NOT_PREDICTIONS", 2)
        assert name in done.stderr.splitlines()[-1]
