"""`models calibrate`: measure modes of a bundle and record those that reach the threshold."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Calibration
from sightline.bundle.manifest import MANIFEST_FILE, Manifest, OnnxVariant
from sightline.calibrate.agreement_threshold import AgreementThreshold
from sightline.calibrate.calibrated_mode import CalibratedMode, reference_mode
from sightline.calibrate.classify import NO_CLASS, Classes, classify
from sightline.calibrate.pixels import read_pixels, spread
from sightline.errors import WrongUseError
from sightline.publish import publish_folder
from sightline.source.listing import Listing

INT8_FILE = "model.int8.onnx"
_RANGE_IMAGES = 64
_FEWEST_RANGE_IMAGES = 16

Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Measured:
    """The measurement of one mode.

    Args:
        entry: The entry for the manifest.
        infer_cpu_ms: CPU time of the model for one image, in milliseconds.
        decode_cpu_ms: CPU time of decoding one image, in milliseconds.
        shortfall: The reason why the mode misses the threshold; empty if it reaches it.
    """

    entry: Calibration
    infer_cpu_ms: float
    decode_cpu_ms: float
    shortfall: str


@dataclass(frozen=True, slots=True)
class Images:
    """The images of a calibration.

    Args:
        compared: Images whose classes are compared, with true labels if known.
        described: Name of these images in the manifest.
        ranges: Images that set the value ranges of an int8 graph; None uses some of ``compared``,
            which are then not compared.
    """

    compared: Listing
    described: str
    ranges: Listing | None = None


def calibrate(
    bundle: Bundle,
    modes: Sequence[CalibratedMode],
    images: Images,
    threshold: AgreementThreshold,
    folder: Path,
    *,
    allow_code: bool = False,
) -> tuple[Bundle, list[Measured]]:
    """Copy a bundle, add an int8 graph if needed, and measure the modes.

    Args:
        bundle: The bundle, which is not changed.
        modes: Modes to measure, from `modes_to_measure`.
        images: Images to measure on.
        threshold: The agreement that a mode must reach.
        folder: An empty folder for the copy.
        allow_code: Whether the bundle may run code from any package.

    Returns:
        The copy, and the measurement of each mode, including those that miss the threshold.

    Raises:
        WrongUseError: NOT_ENOUGH_IMAGES, NO_IMAGE_INPUT or NO_CLASSES, before the model runs;
            NO_VARIANT.
        SightlineError: CANNOT_QUANTIZE, MODEL_FAILED or MODEL_OUTPUT.
    """
    bundle.manifest.signature.require_image(bundle.name)
    bundle.manifest.signature.require_classes(bundle.name)
    int8 = any(mode.precision == "int8" for mode in modes)
    compared, setting = _divide(images, threshold, int8=int8)
    _copy(bundle, folder)
    draft = Bundle.load(folder)
    if int8:
        draft = _with_int8(draft, images.ranges or images.compared, setting)
    reference = classify(draft, reference_mode(draft), images.compared, allow_code=allow_code)
    compared &= reference.found != NO_CLASS
    _require(int(compared.sum()), threshold, "can be read and compared")
    measured = [
        _compare(
            reference,
            classify(draft, mode, images.compared, allow_code=allow_code),
            compared,
            mode,
            images.described,
            threshold,
        )
        for mode in modes
    ]
    return draft, measured


def keep(draft: Bundle, entries: Sequence[Calibration], name: str) -> Bundle:
    """Write entries into the copy's manifest, and keep its entries of other modes.

    The int8 graph is removed if no entry has the precision int8.
    """
    modes = {one.mode for one in entries}
    kept = [one for one in draft.manifest.calibration if one.mode not in modes]
    manifest = replace(draft.manifest, name=name, calibration=(*kept, *entries))
    if manifest.onnx_int8 and not any(one.precision == "int8" for one in manifest.calibration):
        file = manifest.onnx_int8.file
        (draft.path / file).unlink()
        files = {one: sha256 for one, sha256 in manifest.files.items() if one != file}
        manifest = replace(manifest, onnx_int8=None, files=files)
    return _write(draft.path, manifest)


def publish(draft: Bundle, target: Path, if_exists: WrongUseError | None) -> Bundle:
    """Publish the copy at `target`, complete or not at all.

    Raises:
        WrongUseError: `if_exists`, or OUTPUT_NOT_WRITABLE.
    """
    with publish_folder(target, if_exists) as folder:
        _copy(draft, folder)
    return Bundle.load(target)


def _divide(
    images: Images, threshold: AgreementThreshold, *, int8: bool
) -> tuple[Rows, npt.NDArray[np.int64]]:
    """Return which rows are compared, and the row numbers of the images that set int8 ranges."""
    rows = len(images.compared)
    compared = np.ones(rows, np.bool_)
    _require(rows, threshold, "are given")
    if not int8:
        return compared, np.zeros(0, np.int64)
    if images.ranges is not None:
        return compared, spread(len(images.ranges), _RANGE_IMAGES)
    spare = min(rows - threshold.min_images, _RANGE_IMAGES)
    if spare < _FEWEST_RANGE_IMAGES:
        raise WrongUseError(
            "NOT_ENOUGH_IMAGES",
            f"{rows} images are given. int8 needs {threshold.min_images} to compare, and at "
            f"least {_FEWEST_RANGE_IMAGES} others that set its ranges. Give more, or "
            "--range-images.",
        )
    setting = spread(rows, spare)
    compared[setting] = False
    return compared, setting


def _require(rows: int, threshold: AgreementThreshold, what: str) -> None:
    if rows < threshold.min_images:
        raise WrongUseError(
            "NOT_ENOUGH_IMAGES",
            f"{rows} images {what}; a reliable measurement needs {threshold.min_images}. Give more "
            "images, or a lower --min-images.",
        )


def _copy(bundle: Bundle, folder: Path) -> None:
    for file in bundle.manifest.files:
        (folder / file).write_bytes(bundle.read_bytes(file))
    (folder / MANIFEST_FILE).write_bytes(bundle.manifest.to_json())


def _with_int8(draft: Bundle, listing: Listing, rows: npt.NDArray[np.int64]) -> Bundle:
    from sightline.calibrate.quantize import quantize

    manifest = draft.manifest
    if manifest.onnx is None:
        raise WrongUseError("NO_VARIANT", f"model {draft.name} has no onnx variant to make int8.")
    pixels = read_pixels(listing, rows, manifest.signature.require_image(draft.name))
    if len(pixels) < _FEWEST_RANGE_IMAGES:
        raise WrongUseError(
            "NOT_ENOUGH_IMAGES",
            f"{len(pixels)} images can be read to set the ranges of int8, but "
            f"{_FEWEST_RANGE_IMAGES} are needed. Give more images, or --range-images.",
        )
    with tqdm(desc="int8 graph", unit=" steps", disable=None) as progress:

        def tick(done: int, steps: int) -> None:
            progress.total = steps
            progress.update(done - progress.n)

        content = quantize(draft.read_bytes(manifest.onnx.file), pixels, tick)
    (draft.path / INT8_FILE).write_bytes(content)
    changed = replace(
        manifest,
        onnx_int8=OnnxVariant(INT8_FILE, manifest.onnx.opset),
        files={**manifest.files, INT8_FILE: hashlib.sha256(content).hexdigest()},
        # Measurements of an older int8 graph are not valid for this one.
        calibration=tuple(one for one in manifest.calibration if one.precision != "int8"),
    )
    return _write(draft.path, changed)


def _write(folder: Path, manifest: Manifest) -> Bundle:
    (folder / MANIFEST_FILE).write_bytes(manifest.to_json())
    return Bundle.load(folder)


def _compare(
    reference: Classes,
    found: Classes,
    compared: Rows,
    mode: CalibratedMode,
    described: str,
    threshold: AgreementThreshold,
) -> Measured:
    """Compare two runs. An image that only this mode cannot read counts as a disagreement."""
    agreement = float((found.found == reference.found)[compared].mean())
    labelled = compared & (reference.true != NO_CLASS)
    top1 = top1_fp32 = None
    if labelled.any():
        top1 = float((found.found == reference.true)[labelled].mean())
        top1_fp32 = float((reference.found == reference.true)[labelled].mean())
    entry = Calibration(
        mode.backend,
        mode.precision,
        int(compared.sum()),
        round(agreement, 6),
        None if top1 is None else round(top1, 6),
        None if top1_fp32 is None else round(top1_fp32, 6),
        described,
    )
    return Measured(entry, found.infer_cpu_ms, found.decode_cpu_ms, _shortfall(entry, threshold))


def _shortfall(entry: Calibration, threshold: AgreementThreshold) -> str:
    if entry.agreement < threshold.min_agreement:
        return f"agreement {entry.agreement:.4f} < {threshold.min_agreement:g}"
    if entry.top1 is None or entry.top1_fp32 is None:
        return ""
    loss = round(entry.top1_fp32 - entry.top1, 9)  # 0.858 - 0.853 is above 0.005 in floating point
    return (
        f"top-1 loss {loss:.4f} > {threshold.max_top1_loss:g}"
        if loss > threshold.max_top1_loss
        else ""
    )
