"""Errors that no other test has a reason to make happen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

import sightline
from sightline.bench.benchmark import _require_labels
from sightline.bench.checkout import find_checkout
from sightline.bench.closest import ClosestArguments, measure_closest
from sightline.bench.measure import Measurement
from sightline.bench.million import _require_room
from sightline.bench.scaling import require_jar
from sightline.bundle.weights import read_weights
from sightline.cli.main import main
from sightline.errors import SightlineError
from sightline.source.write_sample import link_images

Trigger = Callable[[Path], object]


def wrong_labels() -> dict[str, Any]:
    agreement = {"verdict": "wrong", "same": 0.5, "max_delta": 0.2}
    row = {"name": "other", "agreement": agreement}
    return {"regimes": [{"name": "small", "contenders": [row]}]}


def absent_program() -> object:
    regime = SimpleNamespace(images=1)
    asked = SimpleNamespace(
        _programs=lambda _name, _folder: "no such program here",
        _inputs=lambda _images: SimpleNamespace(folder=Path()),
        _regime=regime,
    )
    return Measurement._known(cast(Measurement, asked), "other")


def broken_weights(folder: Path) -> object:
    (folder / "w.safetensors").write_bytes(b"no tensors")
    return read_weights(folder / "w.safetensors")


def nothing_measured(folder: Path) -> object:
    return measure_closest(ClosestArguments(folder, folder, folder / "record.json", rounds=1))


TRIGGERS: dict[str, Trigger] = {
    "BAD_WEIGHTS": broken_weights,
    "BENCH_NO_RECORD": nothing_measured,
    "BENCH_PROGRAM_ABSENT": lambda _: absent_program(),
    "BENCH_SETUP": lambda folder: _require_room(folder, 10**15),
    # Nobody may make links there.
    "CANNOT_LINK": lambda _: list(link_images(["/a.png"], ["a.png"], Path("/proc/self"))),
    "NO_JAR": require_jar,
    "WRONG_LABELS": lambda _: _require_labels(wrong_labels()),
}


@pytest.mark.parametrize("condition", TRIGGERS)
def test_it_happens_with_its_condition(condition: str, tmp_path: Path) -> None:
    with pytest.raises(SightlineError) as raised:
        TRIGGERS[condition](tmp_path)
    assert raised.value.code == condition
    assert str(raised.value).startswith(f"{condition}: ")


def test_an_installed_package_runs_no_benchmark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sightline, "__file__", str(tmp_path / "sightline/__init__.py"))
    with pytest.raises(SightlineError, match="NO_CHECKOUT: the benchmark runs from a checkout"):
        find_checkout()


def test_a_bundle_with_other_bytes_does_not_verify(
    colour_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(colour_bundle, tmp_path / "colour")
    (tmp_path / "colour/labels.txt").write_text("a\nb\nc\n")
    assert main(["models", "verify", str(tmp_path / "colour")]) == 1
    assert "sightline: VERIFY_FAILED: " in capsys.readouterr().err


def test_a_sample_of_a_folder_that_cannot_be_listed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "images/locked").mkdir(parents=True)
    (tmp_path / "images/a.jpg").write_bytes(b"x")
    real = os.scandir

    def scandir(path: str) -> object:
        # Root may list every folder, so the system's refusal is made here.
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    usual = ["--images", str(tmp_path / "images"), "--percentage", "50"]
    assert main(["subset", *usual, "--output", str(tmp_path / "out")]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"sightline: CANNOT_LIST: '{tmp_path}/images/locked' (DENIED): ")
