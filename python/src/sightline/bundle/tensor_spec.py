"""The name, dtype and shape of a tensor of a model."""

from __future__ import annotations

from dataclasses import dataclass

from sightline.bundle.fields import Fields

DTYPES = ("float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool")
_LONGEST_AXIS = 1_000_000_000


@dataclass(frozen=True)
class TensorSpec:
    """One tensor of a model.

    Attributes:
        name: Name in every variant of the model.
        dtype: numpy's name of the element type: one of `DTYPES`.
        shape: The name of the batch axis ("n"), then the lengths of the axes of one row.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of one row; empty if a row is one number."""
        return tuple(int(axis) for axis in self.shape[1:])

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
