"""Runs the rows of a model batch that failed one by one, to find those on which the model fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sightline.backends.backend import Array
from sightline.engine.model import Model
from sightline.errors import SightlineError
from sightline.row_error import RowError

Infer = Callable[[Mapping[str, Array]], tuple[list[Array], dict[int, str]]]


def infer_rows(
    model: Model, infer: Infer, inputs: Mapping[str, Array], failure: SightlineError
) -> tuple[list[Array], dict[int, str], dict[int, RowError]]:
    """Infer each row of a batch alone.

    A number can make a model fail: an index out of range, or an axis that is too long for the
    model. Then only the rows with such numbers have no result.

    Args:
        model: The model that failed.
        infer: Returns the arrays of the heads for a batch, and the problems of its rows.
        inputs: The input tensors of the batch.
        failure: The error of the whole batch.

    Returns:
        The arrays of the good rows, the problems by position among the good rows, and the errors of
        the other rows by position in the batch.

    Raises:
        SightlineError: `failure`, if the model fails on every row and on its golden batch too. Then
            the fault is not in the rows.
    """
    found: list[list[Array]] = []
    problems: dict[int, str] = {}
    failed: dict[int, RowError] = {}
    for at in range(len(next(iter(inputs.values())))):
        row = {name: value[at : at + 1] for name, value in inputs.items()}
        try:
            arrays, of_row = infer(row)
        except SightlineError as error:
            if error.code != "MODEL_FAILED":
                raise
            failed[at] = _failed_row(row, error)
            continue
        problems |= {len(found): problem for problem in of_row.values()}
        found.append(arrays)
    if not found and not model.runs_golden():
        raise failure
    return [_joined(arrays) for arrays in zip(*found, strict=True)], problems, failed


def _failed_row(inputs: Mapping[str, Array], error: SightlineError) -> RowError:
    shapes = ", ".join(f"{name} {value.shape[1:]}" for name, value in inputs.items())
    reason = " ".join(str(error.__cause__ or error).split())
    return RowError("MODEL", "infer", f"The model failed on this row ({shapes}): {reason}")


def _joined(rows: Sequence[Array]) -> Array:
    """Return arrays of one row each as one array; an array of arrays if their shapes differ."""
    if len({one.shape for one in rows}) == 1:
        return np.concatenate(rows)
    joined = np.empty(len(rows), object)
    for at, one in enumerate(rows):
        joined[at] = one[0]
    return joined
