"""Selects the ONNX file of a bundle for a precision."""

from __future__ import annotations

from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Precision
from sightline.errors import WrongUseError


def graph_file(bundle: Bundle, precision: Precision) -> str:
    """Return the file's name: int8 has a separate file, and the other precisions share one.

    Raises:
        WrongUseError: NO_VARIANT without an ONNX graph, NOT_CALIBRATED without an int8 graph.
    """
    manifest = bundle.manifest
    if manifest.onnx is None:
        raise WrongUseError("NO_VARIANT", f"model {bundle.name} has no onnx variant.")
    if precision != "int8":
        return manifest.onnx.file
    if manifest.onnx_int8 is None:
        raise WrongUseError(
            "NOT_CALIBRATED",
            f"model {bundle.name} has no int8 graph. Make one: sightline models calibrate "
            f"{bundle.name} --images PHOTOGRAPHS --precision int8 --overwrite.",
        )
    return manifest.onnx_int8.file
