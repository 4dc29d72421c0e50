"""Turns what a user's function returns for a batch into named arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sightline.backends.backend import Array
from sightline.errors import SightlineError


def named_arrays(result: object, rows: int, names: Sequence[str] = ()) -> dict[str, Array]:
    """Return the outputs of a batch by name.

    Args:
        result: A mapping of names to arrays; a list of one mapping for each row; a tuple of arrays
            in the order of `names`; or one array. An array is anything that numpy converts, or a
            torch tensor.
        rows: Number of rows in the batch.
        names: Names of the outputs; if there are none, `output` or `output_0`, `output_1`, …

    Raises:
        SightlineError: MODEL_OUTPUT if it is none of these, or if an output is not numeric.
    """
    values: dict[str, object]
    if isinstance(result, Mapping):
        values = {str(name): value for name, value in result.items()}
    elif isinstance(result, list) and result and isinstance(result[0], Mapping):
        values = _columns(result, rows)
    elif isinstance(result, tuple):
        given = names or [f"output_{at}" for at in range(len(result))]
        if len(given) != len(result):
            raise _wrong(f"it returned {len(result)} outputs, but the signature has {len(given)}")
        values = dict(zip(given, result, strict=True))
    else:
        values = {(names or ("output",))[0]: result}
    return {name: _array(name, value) for name, value in values.items()}


def _columns(result: list[Any], rows: int) -> dict[str, object]:
    if len(result) != rows:
        raise _wrong(f"it returned {len(result)} rows for a batch of {rows}")
    keys = {str(key): key for key in result[0]}
    if any(not isinstance(row, Mapping) or row.keys() != result[0].keys() for row in result):
        raise _wrong("the rows that it returned have different names")
    return {name: [row[key] for row in result] for name, key in keys.items()}


def _array(name: str, value: object) -> Array:
    if is_torch_object(value) and hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise _wrong(f"its output '{name}' is ragged ({error})") from error
    if array.dtype.kind not in "biuf":
        raise _wrong(f"its output '{name}' is {array.dtype}, but an output must contain numbers")
    return array


def is_torch_object(value: object) -> bool:
    """Whether the value is a tensor or a module of torch. It imports nothing."""
    return any(one.__module__.partition(".")[0] == "torch" for one in type(value).__mro__)


def _wrong(problem: str) -> SightlineError:
    return SightlineError(
        "MODEL_OUTPUT", f"the model's Python code gave no usable result: {problem}."
    )
