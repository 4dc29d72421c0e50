"""Errors that no other test raises."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sightline.bundle.weights import read_weights
from sightline.cli.main import main
from sightline.errors import SightlineError
from sightline.source.write_sample import link_images

Trigger = Callable[[Path], object]


def broken_weights(folder: Path) -> object:
    (folder / "w.safetensors").write_bytes(b"no tensors")
    return read_weights(folder / "w.safetensors")


TRIGGERS: dict[str, Trigger] = {
    "BAD_WEIGHTS": broken_weights,
    # No user can create links in this folder.
    "CANNOT_LINK": lambda _: list(link_images(["/a.png"], ["a.png"], Path("/proc/self"))),
}


@pytest.mark.parametrize("condition", TRIGGERS)
def test_each_error_is_raised_with_its_condition(condition: str, tmp_path: Path) -> None:
    with pytest.raises(SightlineError) as raised:
        TRIGGERS[condition](tmp_path)
    assert raised.value.code == condition
    assert str(raised.value).startswith(f"{condition}: ")


def test_a_bundle_with_other_bytes_does_not_verify(
    colour_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(colour_bundle, tmp_path / "colour")
    (tmp_path / "colour/labels.txt").write_text("a\nb\nc\n")
    assert main(["models", "verify", str(tmp_path / "colour")]) == 1
    assert "sightline: VERIFY_FAILED: " in capsys.readouterr().err


def test_a_subset_of_a_folder_that_cannot_be_listed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "images/locked").mkdir(parents=True)
    (tmp_path / "images/a.jpg").write_bytes(b"x")
    real = os.scandir

    def scandir(path: str) -> object:
        # Root can list every folder, so the test raises the system's error itself.
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    usual = ["--images", str(tmp_path / "images"), "--percentage", "50"]
    assert main(["subset", *usual, "--output", str(tmp_path / "out")]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"sightline: CANNOT_LIST: '{tmp_path}/images/locked' (DENIED): ")
