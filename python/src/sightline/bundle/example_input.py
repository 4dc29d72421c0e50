"""The description of an input of a network: `--example tokens=int64[n,length]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sightline.errors import WrongUseError

DTYPES = (*("float16", "float32", "float64", "bool", "uint8", "int8", "int16", "int32", "int64"),)
_FORM = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<dtype>\w+)\[(?P<shape>[^\[\]]*)\]")
_AXIS = re.compile(r"[1-9]\d{0,8}|[A-Za-z_]\w*")


@dataclass(frozen=True)
class ExampleInput:
    """One input of a network that was not exported yet.

    Attributes:
        name: Its name in the bundle.
        dtype: numpy's name of the element type.
        shape: "n", then the length of each axis, or its name if the network takes any length.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]

    @property
    def free_axes(self) -> tuple[str, ...]:
        """The names of the free axes of one row."""
        return tuple(axis for axis in self.shape[1:] if isinstance(axis, str))


def read_example(text: str) -> ExampleInput:
    """Read `NAME=DTYPE[n,LENGTH…]`, such as `tokens=int64[n,length]`.

    Raises:
        WrongUseError: INVALID_OPTION.
    """
    found = _FORM.fullmatch(text.replace(" ", ""))
    if found is None:
        raise _bad(text, "Write NAME=DTYPE[n,LENGTH,…], such as image=float32[n,3,64,64]")
    if found["dtype"] not in DTYPES:
        raise _bad(text, f"Types: {', '.join(DTYPES)}")
    axes = found["shape"].split(",")
    if axes[0] != "n" or "n" in axes[1:] or not all(map(_AXIS.fullmatch, axes)):
        raise _bad(text, "The first axis is n, and each other one is a length or a name")
    shape = tuple(int(axis) if axis.isdecimal() else axis for axis in axes)
    return ExampleInput(found["name"], found["dtype"], shape)


def _bad(text: str, reason: str) -> WrongUseError:
    return WrongUseError("INVALID_OPTION", f"--example is '{text}'. {reason}.")
