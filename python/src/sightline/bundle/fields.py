"""Typed access to the fields of a JSON object. Errors name the full path of the field."""

from __future__ import annotations

import math
import re
from typing import NoReturn

from sightline.errors import WrongUseError

_PLAIN_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")


class Fields:
    """One JSON object with the path that leads to it.

    Args:
        value: The object, as returned by `json.loads`.
        where: Path of the file, for messages.
        path: Dotted path of the object within the file; empty for the whole file.

    Raises:
        WrongUseError: INVALID_BUNDLE from every method, if the field is missing or mistyped.
    """

    def __init__(self, value: object, where: str, path: str = "") -> None:
        self.where = where
        self.path = path
        if not isinstance(value, dict):
            self.fail(None, f"must be an object, found {_kind(value)}")
        self.values: dict[str, object] = value

    def fail(self, key: str | None, problem: str) -> NoReturn:
        """Raise INVALID_BUNDLE for the field `key`; None means the object itself."""
        name = ".".join(part for part in (self.path, key) if part) or "the file"
        raise WrongUseError("INVALID_BUNDLE", f"{self.where}: '{name}' {problem}.")

    def raw(self, key: str) -> object:
        """Return the field, of any type."""
        if key not in self.values:
            self.fail(key, "is missing")
        return self.values[key]

    def has(self, key: str) -> bool:
        """Whether the field exists and is not null."""
        return self.values.get(key) is not None

    def text(self, key: str, allowed: tuple[str, ...] = ()) -> str:
        """Return a string. It must be one of `allowed`, unless `allowed` is empty."""
        value = self.raw(key)
        if not isinstance(value, str):
            self.fail(key, f"must be a string, found {_kind(value)}")
        if allowed and value not in allowed:
            self.fail(key, f"must be one of {', '.join(allowed)}; found '{value}'")
        return value

    def file(self, key: str) -> str:
        """Return a plain file name within the bundle: no folder, no `..`, no leading dot."""
        value = self.text(key)
        if not _PLAIN_FILE.fullmatch(value):
            self.fail(key, f"must be a plain file name inside the bundle, found '{value}'")
        return value

    def integer(self, key: str, low: int, high: int) -> int:
        """Return an integer in low..high."""
        value = self.raw(key)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.fail(key, f"must be an integer from {low} to {high}, found {value!r:.40}")
        return value

    def number(self, key: str) -> float:
        """Return a finite number."""
        return self._finite(key, self.raw(key))

    def numbers(self, key: str, count: int) -> tuple[float, ...]:
        """Return a list of `count` finite numbers."""
        values = self.items(key)
        if len(values) != count:
            self.fail(key, f"must contain {count} numbers, found {len(values)}")
        return tuple(self._finite(key, value) for value in values)

    def items(self, key: str) -> list[object]:
        """Return a list with elements of any type."""
        value = self.raw(key)
        if not isinstance(value, list):
            self.fail(key, f"must be a list, found {_kind(value)}")
        return value

    def child(self, key: str) -> Fields:
        """Return the object in the field."""
        return Fields(self.raw(key), self.where, f"{self.path}.{key}" if self.path else key)

    def children(self, key: str) -> tuple[Fields, ...]:
        """Return the objects in the field's list."""
        start = f"{self.path}.{key}" if self.path else key
        return tuple(
            Fields(value, self.where, f"{start}[{at}]") for at, value in enumerate(self.items(key))
        )

    def _finite(self, key: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fail(key, f"must be a finite number, found {value!r:.40}")
        try:
            number = float(value)
        except OverflowError:  # an integer with hundreds of digits
            number = math.inf
        if not math.isfinite(number):
            self.fail(key, f"must be a finite number, found {value!r:.40}")
        return number


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), "a number")
