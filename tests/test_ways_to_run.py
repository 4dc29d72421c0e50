"""The same images by other runtimes, decoders and storages: one application, the same rows."""

from __future__ import annotations

import json
import shlex
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
    "turbo": ("packed.parquet", ("--decoder", "turbo")),
    "unmeasured": ("gallery", ("--backend", "openvino", "--precision", "bf16")),
}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ways")


@pytest.fixture(scope="module")
def application(
    submit: Callable[..., Done], gallery: Path, colour_bundle: Path, work: Path
) -> dict[int, Any]:
    """What each line of one application answered, and its stderr under 0."""
    pytest.importorskip("openvino")
    pytest.importorskip("simplejpeg")
    lines = [["pack-images", "--images", gallery, "--output", work / "packed.parquet"]]
    for name, (images, options) in WAYS.items():
        source = gallery if images == "gallery" else work / images
        model = ["--model", "colour", "--models", colour_bundle.parent]
        lines.append(["predict", "--images", source, *model, "--output", work / name, *options])
    file = work / "commands.txt"
    file.write_text("\n".join(shlex.join(map(str, line)) for line in lines) + "\n", "utf-8")
    done = submit("commands", "--file", file, "--stop-on-error", "false")
    answers = [json.loads(line[2:]) for line in done.stdout.splitlines() if line[:2] == "@ "]
    return {answer["line"]: answer for answer in answers} | {0: done.stderr}


def told(rows: list[Row]) -> dict[str, tuple[str | None, str]]:
    """File name to true label and what came out."""
    return {
        Path(row["path"]).name: (
            row["label"],
            row["error"]["code"] if row["error"] else row["prediction"]["label"],
        )
        for row in rows
    }


@pytest.mark.parametrize("way", ["packed", "openvino", "turbo"])
def test_each_way_gives_the_rows_of_the_plain_one(
    way: str, application: dict[int, Any], work: Path, rows_of: Callable[[Path], list[Row]]
) -> None:
    assert application[2 + list(WAYS).index(way)]["status"] == 0, application[0]
    plain = told(rows_of(work / "plain"))
    assert len(plain) == 12
    assert set(plain.values()) >= {("red", "red"), ("blue", "TRUNCATED"), ("green", "NOT_FOUND")}
    assert told(rows_of(work / way)) == plain


def test_what_was_not_measured_is_refused_before_any_task(
    application: dict[int, Any], work: Path
) -> None:
    assert application[6]["status"] == 2
    assert not (work / "unmeasured").exists()
    assert "NOT_CALIBRATED: model colour has no calibration for" in application[0]
    assert "sightline models calibrate colour --images PHOTOGRAPHS" in application[0]


@pytest.mark.parametrize("way", ["plain", "packed", "openvino"])
def test_run_json_has_what_the_workers_counted(
    way: str, application: dict[int, Any], work: Path
) -> None:
    assert application[2]["status"] == 0
    record = json.loads((work / way / "_run" / "run.json").read_text("utf-8"))
    worker = record["worker"]
    assert worker["images"] == record["counts"]["images"] == 12
    assert worker["batches"] >= 1
    assert worker["decode_cpu_s"] > 0
    assert worker["infer_wall_s"] > 0
