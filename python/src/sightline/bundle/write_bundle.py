"""Writes the files of a new bundle, compares its variants with the source, and measures them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sightline.backends.device import Device
from sightline.backends.registry import find_backend
from sightline.bundle.bundle import Bundle
from sightline.bundle.golden import check_deltas, deltas, golden_of, run_golden
from sightline.bundle.manifest import MANIFEST_FILE, Manifest, is_model_name
from sightline.bundle.measure_batch_rows import measure_batch_rows
from sightline.errors import WrongUseError

GOLDEN_FILE, ONNX_FILE = "golden.safetensors", "model.onnx"


def write_bundle(
    folder: Path, draft: Manifest, contents: Mapping[str, bytes], *, measure: bool = True
) -> None:
    """Write a bundle, run its golden batch with every variant, and record what was measured.

    These are the differences between the variants, and the best batch size of each backend. The
    sizes depend on the clock, so without `measure` the same content has the same hash.

    Args:
        folder: An empty folder.
        draft: The manifest without the measurements.
        contents: The content of every other file, by name.
        measure: Whether to measure the best batch sizes.

    Raises:
        WrongUseError: INVALID_BUNDLE if the manifest is wrong.
        SightlineError: MODEL_VARIANTS_DISAGREE.
    """
    for file, content in contents.items():
        (folder / file).write_bytes(content)
    (folder / MANIFEST_FILE).write_bytes(draft.to_json())
    bundle = Bundle.load(folder)
    golden = replace(draft.golden, max_abs_delta=_deltas(bundle))
    sizes = measure_batch_rows(bundle) if measure else {}
    measured = replace(draft, golden=golden, batch_rows=sizes)
    (folder / MANIFEST_FILE).write_bytes(measured.to_json())
    Bundle.load(folder)  # the published bundle must be readable


def require_model_name(name: str) -> None:
    """Raise an error if a model cannot have that name.

    Raises:
        WrongUseError: WRONG_MODEL_NAME.
    """
    if not is_model_name(name):
        raise WrongUseError(
            "WRONG_MODEL_NAME",
            f"'{name}': a model's name consists of letters, digits, '_', '-' and '.'.",
        )


def model_exists(target: Path, remedy: str = "Use --overwrite.") -> WrongUseError:
    """Return the error for a model that exists; the remedy is that of a command or of Python."""
    return WrongUseError("MODEL_EXISTS", f"'{target}' exists already. {remedy}")


def _deltas(bundle: Bundle) -> dict[str, float]:
    """Return the largest difference of each variant on the golden batch.

    Raises:
        SightlineError: MODEL_VARIANTS_DISAGREE.
    """
    found, manifest = {}, bundle.manifest
    classes = {one.name for one in manifest.signature.class_outputs}
    for name in manifest.variants:
        inputs, expected = golden_of(bundle, name)
        session = find_backend(name).open(bundle, Device("cpu"), 1, allow_code=True)
        outputs = run_golden(session, inputs, list(expected), manifest.most_rows)
        differences = deltas(outputs, expected, classes)
        check_deltas(bundle.name, name, differences, classes, manifest.golden.tolerance)
        found[name] = max(differences.values())
    return found
