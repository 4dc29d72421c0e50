"""The models that the benchmark makes with Sightline's command line, once per commit."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.errors import BenchError
from harness.machine import describe_commit

_SIGHTLINE = (sys.executable, "-m", "sightline")
# Each block's last normalisation is small, so that the activations of 16 blocks do not explode.
_RANDOM_WEIGHTS = """
import sys
import torch
import torchvision
from safetensors.torch import save_file

torch.manual_seed(0)
network = torchvision.models.resnet50(weights=None)
for name, parameter in network.named_parameters():
    if name.endswith("bn3.weight"):
        torch.nn.init.constant_(parameter, 0.25)
save_file(network.state_dict(), sys.argv[1])
"""


def light_model(weights: Path, classes: Path, models: Path) -> Path:
    """Make MobileNetV2 with an input of 100 px, so that small images are not enlarged.

    Raises:
        BenchError: BENCH_SETUP.
    """
    folder = models / "mobilenet_v2_100"
    if not _is_current(folder):
        options = ("--resize", "100x100", "--labels", str(classes), "--licence", "Apache-2.0")
        _add(folder, weights, "torchvision:mobilenet_v2", options)
    return folder


def random_resnet50(models: Path) -> Path:
    """Make ResNet-50 with random weights and the preprocessing of ImageNet.

    Raises:
        BenchError: BENCH_SETUP.
    """
    folder = models / "resnet50_random"
    if not _is_current(folder):
        weights = models / "resnet50_random.safetensors"
        models.mkdir(parents=True, exist_ok=True)
        run_once([sys.executable, "-c", _RANDOM_WEIGHTS, str(weights)], weights)
        labels = models / "resnet50_random_classes.txt"
        labels.write_text("".join(f"class {at}\n" for at in range(1000)), "utf-8")
        resize = ("--resize", "256", "--crop", "224", "--interpolation", "bicubic")
        options = (*resize, "--labels", str(labels), "--licence", "CC0-1.0")
        _add(folder, weights, "torchvision:resnet50", options)
        weights.unlink()
    return folder


def calibrate(
    model: Path, models: Path, images: Path, options: Sequence[str] = ()
) -> tuple[Path, str]:
    """Calibrate a copy of a bundle for reduced precision.

    Modes with too little agreement are left out of the copy.

    Args:
        model: Folder of the bundle.
        models: Folder for the copy.
        images: Images on which agreement is measured.
        options: Further options of `models calibrate`.

    Returns:
        The copy and the output of the command, or the bundle itself and the reason.
    """
    copy = models / f"{model.name}_calibrated"
    saved = models / f"{copy.name}.txt"
    if saved.is_file() and _is_current(copy):
        return copy, saved.read_text("utf-8")
    models.mkdir(parents=True, exist_ok=True)
    modes = ("--backend", "onnx,openvino", "--precision", "bf16,int8")
    target = ("--keep-passing", "--as", copy.name, "--models", str(models), "--overwrite")
    command = (*_SIGHTLINE, "models", "calibrate", str(model), "--images", str(images))
    run = subprocess.run(  # noqa: S603 - Sightline itself
        [*command, *modes, *target, *options], capture_output=True, text=True, check=False
    )
    if run.returncode != 0:
        return model, f"no reduced precision: {last_error(run.stderr)}"
    output = "\n".join(line for line in run.stdout.splitlines() if str(models) not in line)
    saved.write_text(output, "utf-8")
    _mark(copy)
    return copy, output


def run_once(command: Sequence[str], result: Path) -> None:
    """Run a program that makes a file or folder.

    Raises:
        BenchError: BENCH_SETUP if it fails.
    """
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if run.returncode != 0:
        raise BenchError("BENCH_SETUP", f"{result} could not be made: {last_error(run.stderr)}")


def _add(folder: Path, weights: Path, architecture: str, options: Sequence[str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    scale = ("--mean", "0.5", "--std", "0.5", "--models", str(folder.parent))
    source = ("--weights", str(weights), "--architecture", architecture)
    run_once([*_SIGHTLINE, "models", "add", folder.name, *source, *scale, *options], folder)
    _mark(folder)


def _is_current(folder: Path) -> bool:
    """Whether this commit made the folder: another one may write other manifests."""
    mark = _mark_of(folder)
    return folder.is_dir() and mark.is_file() and mark.read_text("utf-8") == describe_commit()


def _mark(folder: Path) -> None:
    _mark_of(folder).write_text(describe_commit(), "utf-8")


def _mark_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.commit")


def last_error(stderr: str) -> str:
    """Return the last line that a program wrote to its standard error."""
    return (stderr.strip().splitlines() or ["the program printed no error"])[-1]
