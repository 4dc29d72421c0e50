"""Several results of one run of a model: a struct column for each, with its own errors."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sightline.backends.backend import Array
from sightline.engine import arrow_types
from sightline.engine.heads.head import BoolArray, Converted, Head, Kept

_CODE = Kept("int32", ())


class SeveralResults:
    """The results of one run, made as if each had a run of its own.

    Args:
        parts: For each result, its heads by the name of the output.
    """

    def __init__(self, parts: Sequence[Mapping[str, Head]]) -> None:
        self._parts = parts
        names = dict.fromkeys(name for part in parts for name in part)
        self.converters = {
            name: JoinedHeads([part[name] for part in parts if name in part]) for name in names
        }

    @property
    def fields(self) -> list[pa.Field[Any]]:
        """The field of each struct column: `answer0`, `answer1` and so on."""
        error = pa.field("error", arrow_types.ERROR)
        return [
            pa.field(
                f"answer{at}",
                pa.struct([*(field for head in part.values() for field in head.fields), error]),
            )
            for at, part in enumerate(self._parts)
        ]

    def columns(
        self, arrays: Sequence[Array], present: BoolArray, error: pa.Array[Any]
    ) -> Iterator[pa.Array[Any]]:
        """Yield the struct column of each result.

        Args:
            arrays: Those of `converters`, in their order.
            present: (rows,) bool, true for the rows that the model has run.
            error: The error of each row that applies to all results, such as one of the image.
        """
        rest = iter(arrays)
        found: list[dict[str, tuple[list[Array], pa.Array[Any]]]] = [{} for _ in self._parts]
        for name, joined in self.converters.items():
            for at, part in enumerate(self._parts):
                if name in part:
                    kept = list(islice(rest, len(part[name].kept)))
                    found[at][name] = kept, joined.problems(next(rest))
        for part, of, field in zip(self._parts, found, self.fields, strict=True):
            problem = pc.coalesce(*(of[name][1] for name in part))
            usable = present & np.asarray(problem.is_null())
            columns = [
                column
                for name, head in part.items()
                for column in head.columns(of[name][0], usable)
            ]
            own = pc.coalesce(error, _errors(problem))
            yield pa.StructArray.from_arrays([*columns, own], fields=list(field.type))


class JoinedHeads:
    """Several heads of one output. A problem of one of them does not concern the others.

    For each head the arrays have its own arrays, and then (rows,) int32: 0, or the number of the
    problem of the row.

    Args:
        heads: One or more heads of the same output.
    """

    def __init__(self, heads: Sequence[Head]) -> None:
        self._heads = heads
        self._numbers: dict[str, int] = {}  # by problem, from 1
        self._lock = threading.Lock()

    @property
    def kept(self) -> Sequence[Kept]:
        """The arrays of all heads, each with its numbers of problems."""
        return [one for head in self._heads for one in (*head.kept, _CODE)]

    def convert(self, output: Array) -> Converted:
        """Convert the output by each head. No row has a problem, only a number of one."""
        arrays: list[Array] = []
        for head in self._heads:
            found = head.convert(output)
            numbers = np.zeros(len(output), np.int32)
            for row, problem in found.problems.items():
                numbers[row] = self._number(problem)
            arrays += [*found.arrays, numbers]
        return Converted(arrays)

    def problems(self, numbers: npt.NDArray[np.int32]) -> pa.Array[Any]:
        """Return the texts of the problems, NULL for 0."""
        texts: list[str | None] = [None, *self._numbers]
        return pa.array([texts[number] for number in numbers.tolist()], pa.string())

    def _number(self, problem: str) -> int:
        with self._lock:
            return self._numbers.setdefault(problem, len(self._numbers) + 1)


def _errors(problem: pa.Array[Any]) -> pa.Array[Any]:
    """Return struct<code, stage, message> with the errors MODEL of these problems."""
    rows = [
        None if text is None else {"code": "MODEL", "stage": "infer", "message": text}
        for text in problem.to_pylist()
    ]
    return pa.array(rows, arrow_types.ERROR)
