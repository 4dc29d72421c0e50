"""The model of a regime with what may be run below fp32 written into its manifest."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def calibrated(
    model: Path, models: Path, images: Path, decoders: str, more: Sequence[str] = ()
) -> tuple[Path, str]:
    """Calibrate a copy of a bundle, once; what agrees too little is left out of it.

    Args:
        model: The bundle's folder.
        models: Where the copy goes.
        images: What agreement is measured on.
        decoders: A comma list for `models calibrate`.
        more: More of that command's options.

    Returns:
        The copy, and what the command said; or the bundle itself, and why it has no copy.
    """
    copy = models / f"{model.name}_calibrated"
    said = models / f"{copy.name}.txt"
    if said.is_file():
        return (copy if copy.is_dir() else model), said.read_text("utf-8")
    models.mkdir(parents=True, exist_ok=True)
    options: tuple[str, ...] = ("--backend", "onnx,openvino", "--precision", "fp32,bf16,int8")
    options += ("--decoder", decoders, "--keep-passing")
    place = ("--as", copy.name, "--models", str(models), "--overwrite")
    command = (sys.executable, "-m", "sightline", "models", "calibrate", str(model))
    run = subprocess.run(  # noqa: S603 - our own program
        [*command, "--images", str(images), *options, *place, *more],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode == 0:
        lines = [line for line in run.stdout.splitlines() if str(models) not in line]
        said.write_text("\n".join(lines), "utf-8")
        return copy, "\n".join(lines)
    last = (run.stderr.strip().splitlines() or ["it said nothing"])[-1]
    refusal = f"nothing may run below fp32: {last}"
    # Another run would give the same result; other failures may be temporary.
    if "BELOW_AGREEMENT_THRESHOLD" in last:
        said.write_text(refusal, "utf-8")
    return model, refusal
