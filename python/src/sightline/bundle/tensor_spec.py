"""The name, dtype and shape of a tensor of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sightline.bundle.fields import Fields

DTYPES = (
    "float16",
    "float32",
    "float64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "int8",
    "int16",
    "int32",
    "int64",
    "bool",
)
_LONGEST_AXIS = 1_000_000_000


@dataclass(frozen=True)
class TensorSpec:
    """One tensor of a model.

    Attributes:
        name: Name in every variant of the model.
        dtype: numpy's name of the element type: one of `DTYPES`.
        shape: The name of the batch axis ("n"), then the axes of one row. Each is a length, or the
            name of a free axis, whose length may differ from row to row. An axis name means the
            same length in all tensors of a row.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]

    @property
    def row_axes(self) -> tuple[int | str, ...]:
        """The axes of one row: lengths and names; empty if a row is one number."""
        return self.shape[1:]

    @property
    def free_axes(self) -> tuple[str, ...]:
        """Names of the free axes of one row, in their order."""
        return tuple(axis for axis in self.row_axes if isinstance(axis, str))

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of one row of a tensor without free axes; empty if a row is one number.

        Raises:
            ValueError: If the tensor has free axes.
        """
        return tuple(int(axis) for axis in self.row_axes)

    def bind(self, row_shape: tuple[int, ...], lengths: Mapping[str, int]) -> dict[str, int] | None:
        """Return the lengths of all free axes known so far, including those of this row.

        Args:
            row_shape: Shape of one row.
            lengths: Lengths of free axes that are known from other tensors of the row.

        Returns:
            None if the shape does not fit the axes or the known lengths.
        """
        if len(row_shape) != len(self.row_axes):
            return None
        bound = dict(lengths)
        for axis, length in zip(self.row_axes, row_shape, strict=True):
            wanted = bound.setdefault(axis, length) if isinstance(axis, str) else axis
            if length != wanted:
                return None
        return bound

    def __str__(self) -> str:
        return f"{self.name}: {self.dtype} ({', '.join(map(str, self.shape))})"


def read_tensor(item: Fields) -> TensorSpec:
    """Read the name, the dtype and the shape of a tensor.

    Raises:
        WrongUseError: INVALID_BUNDLE, naming the field.
    """
    name, dtype = item.text("name"), item.text("dtype", DTYPES)
    shape: list[int | str] = []
    for at, axis in enumerate(item.items("shape")):
        if isinstance(axis, bool) or not isinstance(axis, int | str):
            item.fail(f"shape[{at}]", "must be a length or the name of a free axis")
        if isinstance(axis, int) and not 1 <= axis <= _LONGEST_AXIS:
            item.fail(f"shape[{at}]", f"must be a length from 1 to {_LONGEST_AXIS}")
        shape.append(axis)
    return TensorSpec(name, dtype, tuple(shape))
