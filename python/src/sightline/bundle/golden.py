"""The golden batch: rows with known outputs, on which variants are compared."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import safetensors
import safetensors.numpy

from sightline.backends.backend import Array, Float32Array, Session, UInt8Array
from sightline.bundle.bundle import Bundle
from sightline.bundle.image_settings import Size
from sightline.bundle.tensor_spec import TensorSpec
from sightline.errors import SightlineError, WrongUseError

TOLERANCE = 1e-3
_SINGLE, _HALF = 5e-5, 1e-2  # largest effect of rounding, as a share of the largest score
_IMAGES = "images"  # name in format 1
_INPUT, _OUTPUT = "input:", "output:"


def golden_images(size: Size) -> UInt8Array:
    """Return four fixed images, (4, height, width, 3) uint8: gradient, waves, noise, and a mix."""
    random = np.random.default_rng(20_240_601)
    y, x = np.mgrid[0 : size.height, 0 : size.width]
    y, x = y[..., None] / size.height, x[..., None] / size.width  # (height, width, 1), 0..1
    colour = np.arange(3) / 3
    slope = (x * (1 - colour) + y * colour) * 255
    waves = 127.5 + 127.5 * np.sin(2 * np.pi * (5 * x + 3 * y + colour))
    noise = random.uniform(0, 255, (size.height, size.width, 3))
    both = 0.6 * waves + 0.4 * noise
    images: UInt8Array = np.stack([slope, waves, noise, both]).clip(0, 255).astype(np.uint8)
    return images


def pack_golden(inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> bytes:
    """Return golden.safetensors: `input:NAME` and `output:NAME` of each tensor, as bytes."""
    named = {_INPUT + name: np.ascontiguousarray(value) for name, value in inputs.items()}
    named |= {_OUTPUT + name: np.ascontiguousarray(value) for name, value in outputs.items()}
    packed: bytes = safetensors.numpy.save(named)
    return packed


def golden_of(bundle: Bundle, variant: str) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return `read_golden` without the outputs that the variant does not have.

    Raises:
        WrongUseError: See `read_golden`.
    """
    inputs, outputs = read_golden(bundle)
    given = {one.name for one in bundle.manifest.outputs_of(variant)}
    return inputs, {name: value for name, value in outputs.items() if name in given}


def read_golden(bundle: Bundle) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return the inputs of the bundle's golden batch and the source's outputs, by name.

    Raises:
        WrongUseError: INVALID_BUNDLE if the file has changed or does not fit the signature.
    """
    file, signature = bundle.manifest.golden.file, bundle.manifest.signature
    try:
        arrays = safetensors.numpy.load(bundle.read_bytes(file))
    except (safetensors.SafetensorError, ValueError) as error:
        raise _unfit(bundle, f"is not a golden batch ({error!r})") from error
    if _IMAGES in arrays:  # format 1
        arrays[_INPUT + signature.inputs[0].tensor.name] = arrays.pop(_IMAGES)
    inputs = {k.removeprefix(_INPUT): v for k, v in arrays.items() if k.startswith(_INPUT)}
    outputs = {k.removeprefix(_OUTPUT): v for k, v in arrays.items() if k.startswith(_OUTPUT)}
    tensors = [one.tensor for one in signature.inputs]
    missing = [one.name for one in tensors if one.name not in inputs]
    needed = [one.name for one in signature.class_outputs] or [signature.outputs[0].name]
    missing += [name for name in needed if name not in outputs]
    if missing:
        raise _unfit(bundle, f"does not hold {' and '.join(missing)}")
    rows = len(inputs[tensors[0].name])
    lengths: dict[str, int] = {}
    for found, tensor in [
        *((inputs[one.name], one) for one in tensors),
        *((outputs[o.name], o.tensor) for o in signature.outputs if o.name in outputs),
    ]:
        bound = tensor.bind(found.shape[1:], lengths)
        if len(found) != rows or str(found.dtype) != tensor.dtype or bound is None:
            held = f"{tensor.name} as {found.dtype} {found.shape}"
            wanted = f"{tensor.dtype} {expected_shape(rows, tensor, lengths)}"
            raise _unfit(bundle, f"holds {held}, not {wanted}")
        lengths = bound
    return {one.name: inputs[one.name] for one in tensors}, outputs


def run_golden(
    session: Session, inputs: Mapping[str, Array], wanted: Sequence[str], most_rows: int | None
) -> Mapping[str, Array]:
    """Run the rows of a golden batch, in batches of at most `most_rows`.

    Args:
        session: See `backend.Session.run`, which also describes the result.
        inputs: The inputs by name.
        wanted: Names of outputs.
        most_rows: From the manifest.
    """
    rows = len(next(iter(inputs.values())))
    if most_rows is None or most_rows >= rows:
        return session.run(inputs, wanted)
    parts = []
    for start in range(0, rows, most_rows):
        batch = {name: value[start : start + most_rows] for name, value in inputs.items()}
        parts.append(session.run(batch, wanted))
    return {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}


def expected_shape(rows: int, tensor: TensorSpec, lengths: Mapping[str, int]) -> str:
    """Return the shape of a batch as text, with the names of free axes whose length is not known.

    Args:
        rows: Number of rows of the batch.
        tensor: The tensor.
        lengths: Lengths of free axes by name.
    """
    axes = [lengths.get(axis, axis) if isinstance(axis, str) else axis for axis in tensor.row_axes]
    return f"({', '.join(map(str, [rows, *axes]))}{',' if not axes else ''})"


def _unfit(bundle: Bundle, problem: str) -> WrongUseError:
    file = bundle.manifest.golden.file
    return WrongUseError("INVALID_BUNDLE", f"{bundle.path}: '{file}' {problem}.")


def tolerance_for(scores: Float32Array, precision: str) -> float:
    """Return the largest |difference| of scores that rounding can cause.

    It is 0.001, or a share of the largest score if that is more. float32 has seven digits and
    float16 three, and a deep network loses some of them.

    Args:
        scores: The source's scores for the golden images.
        precision: Precision in which the source computes: `single` or `half`.
    """
    largest = float(np.abs(scores).max(initial=0.0))
    least, share = (_HALF, _HALF) if precision == "half" else (TOLERANCE, _SINGLE)
    return max(least, share * largest)


def capped_tolerance(tolerance: float, scores: Float32Array | None) -> float:
    """Return a manifest's tolerance, but at most the rounding of float16.

    Args:
        tolerance: The tolerance in the manifest.
        scores: The expected class scores; None for a model without class scores.
    """
    return min(tolerance, _HALF if scores is None else tolerance_for(scores, "half"))


def deltas(
    found: Mapping[str, Array], expected: Mapping[str, Array], classes: Collection[str]
) -> dict[str, float]:
    """Return the largest |difference| between found and expected numbers, for each output.

    Class scores are compared as they are, and must be finite. See `scaled_delta` for other outputs.
    It is infinite if an output is missing or if shapes differ.

    Args:
        found: Outputs by name.
        expected: Expected outputs by name.
        classes: Names of the outputs with a classes head.
    """
    absent = {name: float("inf") for name in expected.keys() - found.keys()}
    return absent | {
        name: (_delta if name in classes else scaled_delta)(found[name], value)
        for name, value in expected.items()
        if name in found
    }


def agrees(found: Mapping[str, float], classes: Collection[str], tolerance: float) -> bool:
    """Whether no difference exceeds its limit.

    Args:
        found: Return value of `deltas`.
        classes: Names of the outputs with a classes head.
        tolerance: Limit for these outputs. The limit for other outputs is at most 0.01.
    """
    return all(
        delta <= (tolerance if name in classes else min(tolerance, _HALF))
        for name, delta in found.items()
    )


def scaled_delta(found: Array, expected: Array) -> float:
    """Return the largest |difference| of an output that does not contain class scores.

    Floats may have any magnitude, so their difference is divided by the largest expected number if
    that is above 1. Infinities and NaN must be at the same places. Integers and booleans must be
    equal: a difference is at least 1. It is infinite if the shapes differ.
    """
    if found.shape != expected.shape:
        return float("inf")
    if expected.dtype.kind != "f":
        # The difference in float64 can be 0 for int64 values above 2**53 that differ.
        return 0.0 if np.array_equal(found, expected) else max(1.0, _largest(found, expected))
    finite = np.isfinite(expected)
    if not np.array_equal(found[~finite], expected[~finite], equal_nan=True):
        return float("inf")
    wanted = expected[finite].astype(np.float64)
    size = float(np.abs(wanted).max(initial=0.0))
    return _delta(found[finite], wanted) / max(1.0, size)


def check_deltas(
    name: str, backend: str, found: Mapping[str, float], classes: Collection[str], tolerance: float
) -> None:
    """Raise an error for a variant that computes another function than the source.

    Raises:
        SightlineError: MODEL_VARIANTS_DISAGREE.
    """
    if not agrees(found, classes, tolerance):
        raise SightlineError(
            "MODEL_VARIANTS_DISAGREE",
            f"the {backend} variant of {name} differs from the source by "
            f"{max(found.values()):.3g} on the golden batch; at most {tolerance:.3g} is allowed. "
            "It computes another function.",
        )


def _delta(one: Array, other: Array) -> float:
    if one.shape != other.shape or not (np.isfinite(one).all() and np.isfinite(other).all()):
        return float("inf")
    return _largest(one, other)


def _largest(one: Array, other: Array) -> float:
    return float(np.abs(one.astype(np.float64) - other.astype(np.float64)).max(initial=0.0))
