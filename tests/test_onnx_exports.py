"""Every kind of ONNX export: added once, predicted by both languages, compared with onnxruntime."""

from __future__ import annotations

import re
import runpy
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Done = subprocess.CompletedProcess[str]
Row = dict[str, Any]
pytestmark = pytest.mark.timeout(900)

_MADE = runpy.run_path(str(Path(__file__).parent / "onnx_exports.py"))
EXPORTS: dict[str, Any] = _MADE["EXPORTS"]
NUMBER_OF = {kind: number for number, kind in enumerate(EXPORTS)}
IMAGES = 6
MEASURED = re.compile(
    r"sightline: batches of \d+ rows are best for \w+ in \w+ \(CPU-ms for a row, "
)


@dataclass(frozen=True)
class Ran:
    """The results for all kinds: the folder, the pixels, and the output of each `models add`."""

    folder: Path
    pixels: np.ndarray
    added: dict[str, Done]


@pytest.fixture(scope="module")
def ran(
    tmp_path_factory: pytest.TempPathFactory,
    alone: Callable[..., Done],
    run_command: Callable[..., Done],
) -> Ran:
    """Each file is written and added; then the jar predicts with each model."""
    folder = tmp_path_factory.mktemp("exports")
    side = _MADE["SIDE"]
    random = np.random.default_rng(9)
    colours = random.integers(0, 256, (IMAGES, 1, 1, 3))
    noise = random.integers(-30, 31, (IMAGES, side, side, 3))
    pixels = (colours + noise).clip(0, 255).astype(np.uint8)
    (folder / "images").mkdir()
    for number, image in enumerate(pixels):
        Image.fromarray(image).save(folder / "images" / f"{number}.png")
    added = {kind: _add(folder, kind, alone) for kind in EXPORTS}
    for number in NUMBER_OF.values():
        done = run_command(
            *("predict", "--images", folder / "images", "--output", folder / f"jar{number}"),
            *("--model", folder / "models" / f"m{number}"),
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return Ran(folder, pixels, added)


def _add(folder: Path, kind: str, alone: Callable[..., Done]) -> Done:
    export, name = EXPORTS[kind], f"m{NUMBER_OF[kind]}"
    (folder / name).mkdir()
    export.write(folder / name / "model.onnx")
    (folder / name / "labels.txt").write_text("".join(f"{one}\n" for one in export.labels))
    normalisation: list[object] = []
    if export.normalised:
        for part in ("mean", "std"):
            normalisation += [f"--{part}", ",".join(map(str, _MADE[part.upper()]))]
    side = f"{export.side}x{export.side}"
    done = alone(
        *("models", "add", name, "--onnx", folder / name / "model.onnx", "--resize", side),
        *("--labels", folder / name / "labels.txt", "--models", folder / "models"),
        *normalisation,
        *export.options,
    )
    assert done.returncode == 0, f"{kind}: {done.stderr}"
    return done


@pytest.mark.parametrize("kind", EXPORTS)
def test_an_export_gives_the_results_of_onnxruntime_in_both_languages(
    kind: str, ran: Ran, alone: Callable[..., Done], rows_of: Callable[[Path], list[Row]]
) -> None:
    export, number = EXPORTS[kind], NUMBER_OF[kind]
    expected = export.by_hand(ran.folder / f"m{number}" / "model.onnx", ran.pixels)
    assert len(set(expected.argmax(axis=1))) > 1  # not every image has the same label

    done = alone(
        *("predict", "--images", ran.folder / "images", "--output", ran.folder / f"alone{number}"),
        *("--model", ran.folder / "models" / f"m{number}"),
    )

    assert done.returncode == 0, done.stderr
    for output in (f"alone{number}", f"jar{number}"):
        rows = rows_of(ran.folder / output)
        assert len(rows) == IMAGES
        for row, probabilities in zip(rows, expected, strict=True):
            found = {one["label"]: one["score"] for one in row["prediction"]["top_k"]}
            wanted = dict(zip(export.labels, probabilities, strict=True))
            assert found == pytest.approx(wanted, abs=export.close)
            assert row["prediction"]["score"] == max(found.values())
            assert row["prediction"]["label"] == max(found, key=lambda one: found[one])


def test_errors_of_failed_attempts_are_not_printed(ran: Ran) -> None:
    """Most exports with one image fail at first with another number of images."""
    others = {
        kind: [line for line in done.stderr.splitlines() if not MEASURED.match(line)]
        for kind, done in ran.added.items()
    }
    assert {kind: lines for kind, lines in others.items() if lines} == {}
