"""`models verify`: checks that a bundle's files and golden outputs are unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sightline.backends.backend import Array
from sightline.backends.device import Device
from sightline.backends.registry import find_backend, has_runtime
from sightline.backends.require_supported import (
    backends_of,
    backends_of_variant,
    precisions_of,
    variant_of,
)
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Precision
from sightline.bundle.golden import (
    agrees,
    capped_tolerance,
    deltas,
    expected_shape,
    golden_of,
    run_golden,
)
from sightline.bundle.signature import Classes, Output, Signature
from sightline.bundle.tensor_spec import TensorSpec
from sightline.errors import SightlineError
from sightline.out_of_memory import raise_if_out_of_memory

# int8 has an error of 0.1 on noise and waves; a graph that a runtime computes wrongly has 0.9.
_LARGEST_ERROR = 0.4


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
        subject: Name of a file, or "onnx variant".
        outcome: "failed" means that the bundle must not be used; "skipped" means that the check
            cannot run here.
        detail: The hash, the difference, or the reason.
        golden: Whether the check used the golden batch.
    """

    subject: str
    outcome: Literal["ok", "failed", "skipped"]
    detail: str
    golden: bool = False


def verify_bundle(bundle: Bundle, *, allow_code: bool = False) -> Iterator[Check]:
    """Check the hash of every file, then run the golden batch on each installed backend's variant.

    Args:
        bundle: The bundle to check.
        allow_code: Whether the bundle may name code of any package.

    Raises:
        WrongUseError: CODE_NOT_ALLOWED when the variant with such code is checked.
        SightlineError: OUT_OF_MEMORY if the machine has too little memory for a golden batch.
    """
    damaged: set[str] = set()
    for file, sha256 in sorted(bundle.manifest.files.items()):
        try:
            bundle.read_bytes(file)
        except SightlineError as error:
            damaged.add(file)
            yield Check(file, "failed", error.message)
        else:
            yield Check(file, "ok", f"sha256 {sha256[:12]}")
    for output in bundle.manifest.signature.class_outputs:
        if isinstance(output.head, Classes) and output.head.labels not in damaged:
            yield _labels(bundle, output)
    for variant in bundle.manifest.variants:
        backends = backends_of_variant(variant)
        if backends:
            yield _golden(bundle, backends[0], "fp32", damaged, allow_code=allow_code)
        else:
            yield Check(f"{variant} variant", "skipped", "no installed backend reads it")
    measured = {(one.backend, one.precision) for one in bundle.manifest.calibration}
    for backend in backends_of(bundle):
        for precision in precisions_of(backend):
            if precision != "fp32" and (backend, precision) in measured:
                yield _golden(bundle, backend, precision, damaged, allow_code=allow_code)


def _labels(bundle: Bundle, output: Output) -> Check:
    (classes,) = output.tensor.row_shape
    try:
        labels = bundle.labels_of(output)
        return Check("labels", "ok", f"{len(labels)} of {classes} classes")
    except SightlineError as error:
        return Check("labels", "failed", error.message)


def _golden(
    bundle: Bundle, backend: str, precision: Precision, damaged: set[str], *, allow_code: bool
) -> Check:
    """Compare with the golden outputs: fp32 within rounding, reduced precision within an error."""
    subject = f"{backend} variant" if precision == "fp32" else f"{backend} {precision}"
    needed = {bundle.manifest.golden.file, _file(bundle, backend, precision)}
    if needed & damaged:
        return Check(subject, "skipped", f"{', '.join(sorted(needed & damaged))} is damaged")
    if not has_runtime(backend):
        return Check(subject, "skipped", "its runtime is not installed here")
    signature = bundle.manifest.signature
    classes = {one.name for one in signature.class_outputs}
    first = signature.classes or signature.outputs[0]
    try:
        inputs, expected = golden_of(bundle, variant_of(backend))
        session = find_backend(backend).open(
            bundle, Device("cpu"), 1, precision=precision, allow_code=allow_code
        )
        tensors = [one.tensor for one in bundle.manifest.outputs_of(variant_of(backend))]
        if precision != "fp32":
            tensors = [first.tensor]
        outputs = run_golden(
            session, inputs, [one.name for one in tensors], bundle.manifest.most_rows
        )
        rows = len(next(iter(inputs.values())))
        misfits = _misfits(signature, inputs, tensors, outputs)
        if misfits:
            return Check(subject, "failed", " and ".join(misfits))
        if precision == "fp32":
            what = "largest difference"
            scores = expected[first.name] if classes else None
            limit = capped_tolerance(bundle.manifest.golden.tolerance, scores)
            differences = deltas(outputs, expected, classes)
            found, sound = max(differences.values()), agrees(differences, classes, limit)
        else:
            what, limit = "relative error", _LARGEST_ERROR
            found = _relative_error(outputs[first.name], expected[first.name])
            sound = found <= limit
    except SightlineError as error:
        if error.code in ("CODE_NOT_ALLOWED", "OUT_OF_MEMORY"):
            raise  # it does not depend on the bundle's files
        return Check(subject, "failed", error.message)
    except Exception as error:  # noqa: BLE001 - runtimes raise classes of their own
        raise_if_out_of_memory(error, f"model {bundle.name}, on its golden batch,")
        message = " ".join(str(error).split())[:300]
        return Check(subject, "failed", f"{type(error).__name__}: {message}")
    outcome: Literal["ok", "failed"] = "ok" if sound else "failed"
    what_rows = "images" if signature.image else "rows"
    detail = f"{what} on {rows} golden {what_rows} {found:.2g} (≤ {limit:g})"
    return Check(subject, outcome, detail, golden=True)


def _misfits(
    signature: Signature,
    inputs: Mapping[str, Array],
    tensors: Sequence[TensorSpec],
    outputs: Mapping[str, Array],
) -> list[str]:
    """Return how each output differs from the signature in name, dtype or shape."""
    rows = len(next(iter(inputs.values())))
    lengths: dict[str, int] = {}
    for tensor in (one.tensor for one in signature.inputs):
        lengths = tensor.bind(inputs[tensor.name].shape[1:], lengths) or lengths
    misfits = []
    for tensor in tensors:
        if tensor.name not in outputs:
            misfits.append(f"it does not return the output '{tensor.name}'")
            continue
        found = outputs[tensor.name]
        bound = tensor.bind(found.shape[1:], lengths)
        if found.shape[:1] == (rows,) and bound is not None and found.dtype == tensor.dtype:
            lengths = bound
            continue
        given = f"{found.dtype} of shape {found.shape}"
        wanted = f"{tensor.dtype} of shape {expected_shape(rows, tensor, lengths)}"
        misfits.append(f"it returns '{tensor.name}' as {given}, not {wanted}")
    return misfits


def _relative_error(found: Array, expected: Array) -> float:
    """Return RMS(difference) / RMS(expected), of the same shape; infinite if one is not finite."""
    if not np.isfinite(found).all():
        return float("inf")
    size = float(np.sqrt(np.square(expected, dtype=np.float64).mean()))
    error = float(np.sqrt(np.square(found.astype(np.float64) - expected).mean()))
    return error / size if size else error


def _file(bundle: Bundle, backend: str, precision: Precision) -> str:
    """Return the name of the file with the weights of that backend and precision."""
    manifest = bundle.manifest
    name = variant_of(backend)
    if name in manifest.other_variants:
        return str(manifest.other_variants[name]["file"])
    variant = manifest.pytorch if name == "pytorch" else manifest.onnx
    if precision == "int8":
        variant = manifest.onnx_int8
    return "" if variant is None else variant.file
