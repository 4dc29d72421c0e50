"""What is measured on: the images and the model of each regime."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.calibrated import calibrated
from sightline.errors import SightlineError

_DEFAULT_IMAGES = {"heavy": 500, "light": 2400}
_CARDS_PEOPLE = 100


@dataclass(frozen=True)
class Regime:
    """Images and a model.

    Args:
        name: ``heavy`` or ``light``.
        title: For people.
        source: What the images are, for people.
        files: The images, in order; repeated where a run wants more.
        model: The bundle's folder.
        images: How many a full job holds.
        calibration: What `models calibrate` said of the model, or why nothing runs below fp32;
            empty where no contender asks.
    """

    name: str
    title: str
    source: str
    files: tuple[Path, ...]
    model: Path
    images: int
    calibration: str


def shared_data(repository: Path) -> Path:
    """The folder of real test data, which may not be there."""
    return Path(os.environ.get("SIGHTLINE_SHARED", repository.parent / "shared")) / "data"


def open_regime(
    name: str,
    repository: Path,
    work: Path,
    images: int | None,
    calibration: Literal["wanted", "not wanted"] = "not wanted",
) -> Regime | str:
    """A regime, or the reason why it cannot be measured here.

    Args:
        name: ``heavy`` or ``light``.
        repository: The checkout.
        work: Where what is missing is made: cards, the light model.
        calibration: Whether contenders need what `models calibrate` allows: minutes, once.
        images: How many a job holds; None: 500 photographs, 2,400 small images.

    Raises:
        SightlineError: BENCH_SETUP if what is missing cannot be made.
    """
    shared = shared_data(repository)
    count = images or _DEFAULT_IMAGES[name]
    wanted = calibration == "wanted"
    if name == "heavy":
        return _heavy(shared, repository, work, count, wanted=wanted)
    files = tuple(sorted((shared / "fruits").rglob("*.jpg")))
    weights = shared / "weights/mobilenet_v2_1.0_224.torchvision.safetensors"
    if not files or not weights.is_file():
        return f"needs the shared test data ({shared} has no fruits or no weights)"
    model = _light_model(shared, weights, work / "models")
    said = ""
    if wanted:
        model, said = calibrated(model, work / "models", shared / "fruits/dev/Training", "pillow")
    return Regime(
        "light",
        "Light: MobileNetV2 at 100 px",
        f"{count:,} JPEGs of 100×100 pixels from {len(files):,} photographs of fruits",  # noqa: RUF001
        files,
        model,
        count,
        said,
    )


def _heavy(shared: Path, repository: Path, work: Path, images: int, *, wanted: bool) -> Regime:
    files = tuple(sorted((shared / "imagenet").rglob("*.jpg")))
    source = f"{images:,} photographs with a short side of 256 pixels, from {len(files):,}"
    if not files:
        files = _cards(repository, work / "cards")
        source = f"{images:,} identity cards drawn for this run, from {len(files):,}: the shared "
        source += "photographs are not there, so agreement says little and decoding costs more"
    model, said = repository / "models/efficientnet_lite0", ""
    if wanted and (shared / "imagenet").is_dir():
        # Ranges from other photographs: the 500 of imagenet are all compared.
        ranges = ("--range-images", str(shared / "flowers/dev/train"))
        labels = shared / "imagenet/labels.csv"
        model, said = calibrated(model, work / "models", labels, "pillow,scaled", ranges)
    title = "Heavy: EfficientNet-Lite0 at 224 px"
    return Regime("heavy", title, source, files, model, images, said)


def _cards(repository: Path, folder: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        draw = repository / "examples/fraud_id/generate.py"
        people = ("--people", str(_CARDS_PEOPLE))
        _make([sys.executable, str(draw), "--output", str(folder), *people], folder)
    return tuple(sorted(folder.rglob("*.jpg")))


def _light_model(shared: Path, weights: Path, models: Path) -> Path:
    """MobileNetV2 with its input at 100 px, so that small images are not blown up."""
    folder = models / "mobilenet_v2_100"
    if not folder.is_dir():
        options: tuple[str | Path, ...] = (
            "--weights",
            weights,
            "--architecture",
            "torchvision:mobilenet_v2",
        )
        options += ("--labels", shared / "imagenet/classes.txt", "--resize", "100x100")
        options += ("--mean", "0.5", "--std", "0.5", "--licence", "Apache-2.0")
        options += ("--models", models)
        program = (sys.executable, "-m", "sightline", "models", "add", folder.name)
        _make([*program, *map(str, options)], folder)
    return folder


def _make(command: list[str], what: Path) -> None:
    made = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if made.returncode != 0:
        last = (made.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise SightlineError("BENCH_SETUP", f"{what} could not be made: {last}")
