"""Other runtimes, decoders and storage give the same rows for the same images."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Done = subprocess.CompletedProcess[str]
Row = dict[str, Any]
pytestmark = pytest.mark.timeout(600)

WAYS = {
    "plain": ("gallery", ()),
    "packed": ("packed.parquet", ("--top-k", "2")),
    "openvino": ("gallery", ("--backend", "openvino")),
    "exact": ("packed.parquet", ("--decoder", "exact")),
    "unmeasured": ("gallery", ("--backend", "openvino", "--precision", "bf16")),
}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ways")


@pytest.fixture(scope="module")
def done(
    run_command: Callable[..., Done], gallery: Path, colour_bundle: Path, work: Path
) -> dict[str, Done]:
    """The result of each way to run."""
    pytest.importorskip("openvino")
    packed = run_command("pack-images", "--images", gallery, "--output", work / "packed.parquet")
    assert packed.returncode == 0, packed.stderr
    model = ("--model", "colour", "--models", colour_bundle.parent)
    return {
        name: run_command(
            *("predict", "--images", gallery if images == "gallery" else work / images),
            *(*model, "--output", work / name, *options),
        )
        for name, (images, options) in WAYS.items()
    }


def outcomes(rows: list[Row]) -> dict[str, tuple[str | None, str]]:
    """The true label and the predicted label or error code, by file name."""
    return {
        Path(row["path"]).name: (
            row["label"],
            row["error"]["code"] if row["error"] else row["prediction"]["label"],
        )
        for row in rows
    }


@pytest.mark.parametrize("way", ["packed", "openvino", "exact"])
def test_each_way_to_run_gives_the_same_rows(
    way: str, done: dict[str, Done], work: Path, rows_of: Callable[[Path], list[Row]]
) -> None:
    assert done[way].returncode == 0, done[way].stderr
    plain = outcomes(rows_of(work / "plain"))
    assert len(plain) == 12
    assert set(plain.values()) >= {("red", "red"), ("blue", "TRUNCATED"), ("green", "NOT_FOUND")}
    assert outcomes(rows_of(work / way)) == plain


def test_a_mode_without_calibration_is_refused_before_any_task(
    done: dict[str, Done], work: Path
) -> None:
    refused = done["unmeasured"]
    assert refused.returncode == 2
    assert not (work / "unmeasured").exists()
    assert "NOT_CALIBRATED: model colour has no calibration for" in refused.stderr
    assert "sightline models calibrate colour --images PHOTOGRAPHS" in refused.stderr


@pytest.mark.parametrize("way", ["plain", "packed", "openvino"])
def test_run_json_has_the_counters_of_the_workers(
    way: str, done: dict[str, Done], work: Path
) -> None:
    assert done[way].returncode == 0, done[way].stderr
    record = json.loads((work / way / "_run" / "run.json").read_text("utf-8"))
    worker = record["worker"]
    assert worker["images"] == record["counts"]["images"] == 12
    assert worker["batches"] >= 1
    assert worker["decode_cpu_s"] > 0
    assert worker["infer_wall_s"] > 0
