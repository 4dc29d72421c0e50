"""The two regimes of the benchmark: their images, their model, and its calibration."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.checkout import MODELS, REPOSITORY, shared_data
from harness.errors import BenchError

_DEFAULT_IMAGES = {"heavy": 500, "light": 2400}
_CARDS_PEOPLE = 100
_SIGHTLINE = (sys.executable, "-m", "sightline")
Calibration = Literal["wanted", "not wanted"]


@dataclass(frozen=True)
class Regime:
    """Images and a model.

    Args:
        name: ``heavy`` or ``light``.
        title: Title in tables.
        source: Description of the images.
        files: The images, in order; repeated if a job has more.
        model: Folder of the bundle.
        images: Number of images of a full job.
        calibration: Output of `models calibrate`, or why there is no reduced precision; empty if
            no contender needs it.
    """

    name: str
    title: str
    source: str
    files: tuple[Path, ...]
    model: Path
    images: int
    calibration: str


def open_regime(
    name: str, work: Path, images: int | None, calibration: Calibration = "not wanted"
) -> Regime | str:
    """Return a regime, or the reason why it cannot be measured on this machine.

    Args:
        name: ``heavy`` or ``light``.
        work: Folder for what is missing: identity cards, the light model, calibrated models.
        images: Images of a job; None: 500 photographs, 2,400 small images.
        calibration: Whether contenders need reduced precision. Calibration takes minutes, once.

    Raises:
        BenchError: BENCH_SETUP if something missing cannot be made.
    """
    count = images or _DEFAULT_IMAGES[name]
    open_ = _heavy if name == "heavy" else _light
    return open_(work, count, calibrate=calibration == "wanted")


def _heavy(work: Path, images: int, *, calibrate: bool) -> Regime:
    shared = shared_data()
    files = tuple(sorted((shared / "imagenet").rglob("*.jpg")))
    source = f"{images:,} photographs with a short side of 256 pixels, from {len(files):,}"
    if not files:
        files = _cards(work / "cards")
        source = (
            f"{images:,} identity cards drawn for this run, from {len(files):,}: the shared "
            "photographs are missing, so label agreement means little and decoding costs more"
        )
    model, calibration = MODELS / "efficientnet_lite0", ""
    if calibrate and (shared / "imagenet").is_dir():
        # Ranges come from other photographs, because all 500 of imagenet are compared.
        ranges = ("--range-images", str(shared / "flowers/dev/train"))
        labels = shared / "imagenet/labels.csv"
        model, calibration = _calibrate(model, work / "models", labels, ranges)
    title = "Heavy: EfficientNet-Lite0 at 224 px"
    return Regime("heavy", title, source, files, model, images, calibration)


def _light(work: Path, images: int, *, calibrate: bool) -> Regime | str:
    shared = shared_data()
    files = tuple(sorted((shared / "fruits").rglob("*.jpg")))
    weights = shared / "weights/mobilenet_v2_1.0_224.torchvision.safetensors"
    if not files or not weights.is_file():
        return f"needs the shared test data ({shared} has no fruits or no weights)"
    model, calibration = _light_model(shared, weights, work / "models"), ""
    if calibrate:
        photographs = shared / "fruits/dev/Training"
        model, calibration = _calibrate(model, work / "models", photographs)
    source = f"{images:,} JPEGs of 100×100 pixels from {len(files):,} photographs of fruits"  # noqa: RUF001
    title = "Light: MobileNetV2 at 100 px"
    return Regime("light", title, source, files, model, images, calibration)


def _cards(folder: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        draw = REPOSITORY / "examples/fraud_id/generate.py"
        people = ("--people", str(_CARDS_PEOPLE))
        _make([sys.executable, str(draw), "--output", str(folder), *people], folder)
    return tuple(sorted(folder.rglob("*.jpg")))


def _light_model(shared: Path, weights: Path, models: Path) -> Path:
    """Make MobileNetV2 with an input of 100 px, so that small images are not enlarged."""
    folder = models / "mobilenet_v2_100"
    if not folder.is_dir():
        options = {
            "--weights": weights,
            "--architecture": "torchvision:mobilenet_v2",
            "--labels": shared / "imagenet/classes.txt",
            "--resize": "100x100",
            "--mean": "0.5",
            "--std": "0.5",
            "--licence": "Apache-2.0",
            "--models": models,
        }
        words = [str(word) for option in options.items() for word in option]
        _make([*_SIGHTLINE, "models", "add", folder.name, *words], folder)
    return folder


def _make(command: list[str], result: Path) -> None:
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if run.returncode != 0:
        raise BenchError("BENCH_SETUP", f"{result} could not be made: {last_error(run.stderr)}")


def last_error(stderr: str) -> str:
    """Return the last line that a program wrote to its standard error."""
    return (stderr.strip().splitlines() or ["the program printed no error"])[-1]


def _calibrate(
    model: Path, models: Path, images: Path, options: Sequence[str] = ()
) -> tuple[Path, str]:
    """Calibrate a copy of a bundle for reduced precision, once.

    Modes with too little agreement are left out of the copy.

    Args:
        model: Folder of the bundle.
        models: Folder for the copy.
        images: Images on which agreement is measured.
        options: Further options of that command.

    Returns:
        The copy and the output of the command, or the bundle itself and the reason.
    """
    copy = models / f"{model.name}_calibrated"
    saved = models / f"{copy.name}.txt"
    if saved.is_file():
        return (copy if copy.is_dir() else model), saved.read_text("utf-8")
    models.mkdir(parents=True, exist_ok=True)
    modes = ("--backend", "onnx,openvino", "--precision", "bf16,int8")
    target = ("--keep-passing", "--as", copy.name, "--models", str(models), "--overwrite")
    command = (*_SIGHTLINE, "models", "calibrate", str(model), "--images", str(images))
    run = subprocess.run(  # noqa: S603 - Sightline itself
        [*command, *modes, *target, *options], capture_output=True, text=True, check=False
    )
    if run.returncode == 0:
        output = "\n".join(line for line in run.stdout.splitlines() if str(models) not in line)
        saved.write_text(output, "utf-8")
        return copy, output
    last = last_error(run.stderr)
    reason = f"no reduced precision: {last}"
    if (
        "BELOW_AGREEMENT_THRESHOLD" in last
    ):  # a repetition gives the same result; other errors may go away
        saved.write_text(reason, "utf-8")
    return model, reason
