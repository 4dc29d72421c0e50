"""Several results of one run of a model: a struct column for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from sightline.backends.backend import Array
from sightline.engine.heads.head import BoolArray, Converted, Head, Kept


@dataclass(frozen=True)
class JoinedHead:
    """Several heads of one output, whose columns follow each other.

    Args:
        heads: One or more heads of the same output.
    """

    heads: Sequence[Head]

    @property
    def fields(self) -> Sequence[pa.Field[Any]]:
        """The fields of all heads."""
        return [field for head in self.heads for field in head.fields]

    @property
    def kept(self) -> Sequence[Kept]:
        """The arrays of all heads."""
        return [kept for head in self.heads for kept in head.kept]

    def convert(self, output: Array) -> Converted:
        """Convert the output by each head. A row has the problem of the first that has one."""
        found = [head.convert(output) for head in self.heads]
        problems: dict[int, str] = {}
        for one in reversed(found):
            problems |= one.problems
        return Converted([array for one in found for array in one.arrays], problems)

    def columns(self, arrays: Sequence[Array], present: BoolArray) -> Sequence[pa.Array[Any]]:
        """Make the columns of each head of its arrays."""
        rest = iter(arrays)
        return [
            column
            for head in self.heads
            for column in head.columns(list(islice(rest, len(head.kept))), present)
        ]


def join_heads(parts: Sequence[Mapping[str, Head]]) -> dict[str, Head]:
    """Return one head for each output that some part needs, by the output's name.

    Args:
        parts: For each result, its heads by the name of the output.
    """
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: JoinedHead([part[name] for part in parts if name in part]) for name in names}


def struct_columns(
    parts: Sequence[Mapping[str, Head]], columns: Sequence[pa.Array[Any]], error: pa.Array[Any]
) -> Iterator[pa.Array[Any]]:
    """Yield a struct column for each result: its fields, then `error`.

    Args:
        parts: For each result, its heads by the name of the output.
        columns: The columns of `join_heads(parts)`, in its order.
        error: The column of errors, which each struct gets.
    """
    rest = iter(columns)
    of: dict[tuple[int, str], list[pa.Array[Any]]] = {}
    for name in dict.fromkeys(name for part in parts for name in part):
        for at, part in enumerate(parts):
            if name in part:
                of[at, name] = list(islice(rest, len(part[name].fields)))
    for at, (part, field) in enumerate(zip(parts, struct_fields(parts, error.type), strict=True)):
        arrays = [column for name in part for column in of[at, name]]
        yield pa.StructArray.from_arrays([*arrays, error], fields=list(field.type))


def struct_fields(parts: Sequence[Mapping[str, Head]], error: pa.DataType) -> list[pa.Field[Any]]:
    """Return the field of each struct column: `answer0`, `answer1` and so on.

    Args:
        parts: For each result, its heads by the name of the output.
        error: The type of the field `error` of each struct.
    """
    return [
        pa.field(
            f"answer{at}",
            pa.struct(
                [*(field for head in part.values() for field in head.fields), ("error", error)]
            ),
        )
        for at, part in enumerate(parts)
    ]
