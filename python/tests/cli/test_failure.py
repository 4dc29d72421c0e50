from __future__ import annotations

import errno
from pathlib import Path

import click
import pytest

from sightline.cli.failure import as_sightline_error
from sightline.cli.main import main


def system_error(number: int, file: str | None = None) -> OSError:
    return OSError(number, "the system's words", file)


@pytest.mark.parametrize(
    ("error", "condition", "status"),
    [
        (system_error(errno.ENOSPC), "DISK_FULL", 1),
        (system_error(errno.EDQUOT, "/out"), "DISK_FULL", 1),
        (system_error(errno.EACCES, "/secret"), "PERMISSION_DENIED", 2),
        (system_error(errno.EROFS, "/out"), "PERMISSION_DENIED", 2),
        (system_error(errno.ENAMETOOLONG, "n" * 300), "INVALID_PATH", 2),
        (system_error(errno.ENOENT, "/gone"), "PATH_NOT_FOUND", 2),
        (system_error(errno.EIO, "/disk"), "RUN_FAILED", 1),
        (click.Abort(), "INTERRUPTED", 1),
        (click.UsageError("too few"), "WRONG_ARGUMENTS", 2),
        (click.BadParameter("no number"), "INVALID_OPTION", 2),
        (click.ClickException("it broke"), "RUN_FAILED", 1),
    ],
)
def test_errors_of_libraries_are_translated_to_our_conditions(
    error: Exception, condition: str, status: int
) -> None:
    shown = as_sightline_error(error)
    assert shown is not None
    assert (shown.code, shown.exit_status) == (condition, status)
    if isinstance(error, OSError):
        assert "the system's words" in shown.message
        assert (error.filename or "") in shown.message


def test_an_unexpected_exception_is_not_translated() -> None:
    assert as_sightline_error(ValueError("a bug")) is None


def test_an_error_of_the_operating_system_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    # No user can create files in /proc, not even root.
    assert main(["models", "add", "m", "--models", "/proc/self", "--onnx", "m.onnx"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("sightline: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "condition"),
    [
        (["predikt"], "UNKNOWN_COMMAND"),
        (["predict", "--device", "tpu"], "UNKNOWN_DEVICE"),
        (["predict", "--decoder", "turbo"], "UNKNOWN_DECODER"),
        (["predict", "--precision", "fp16"], "UNKNOWN_PRECISION"),
        (["predict", "--backend", "onx"], "UNKNOWN_BACKEND"),
        (["predict", "--format", "xml"], "UNKNOWN_FORMAT"),
        (["predict", "--labels", "some"], "UNKNOWN_LABELS"),
        (["predict", "--on-error", "stop"], "INVALID_OPTION"),
        (["predict", "--batch-rows", "x"], "INVALID_OPTION"),
        (["predict", "--top-k", "0"], "INVALID_OPTION"),
        (["predict"], "WRONG_ARGUMENTS"),
        (["predict", "--imges", "x"], "WRONG_ARGUMENTS"),
    ],
)
def test_wrong_use_has_the_same_conditions_as_in_the_jar(
    arguments: list[str],
    condition: str,
    colour_bundle: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "images").mkdir()
    usual = ["--images", str(tmp_path / "images"), "--model", str(colour_bundle)]
    given = [*arguments, *usual, "--output", str(tmp_path / "out")]
    assert main(given if len(arguments) == 3 else arguments) == 2
    assert capsys.readouterr().err.startswith(f"sightline: {condition}: ")
