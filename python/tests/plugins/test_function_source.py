"""Functions as text: what is taken, and what is refused with a reason."""

from __future__ import annotations

import functools
import json
import math
import os.path
import threading
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from sightline.errors import WrongUseError
from sightline.plugins.function_source import function_source

FACTOR = 3
NAMES = {"a": (1, 2.5), "b": None}
FILE = Path("/data/weights.npy")
LOCK = threading.Lock()


class Scaler:
    """A class of this module, which is text too."""

    offset = FACTOR

    def __call__(self, value: float) -> float:
        return value * FACTOR + self.offset


def helper(value: float) -> float:
    return math.floor(value) + (helper(value - 1) if value > 1 else 0)


def source_of(function: Callable[..., object]) -> str:
    assert isinstance(function, FunctionType)
    return function_source(function)[0]


def run(function: Callable[..., object], *arguments: object) -> object:
    """Execute the text in an empty module, and call the function there."""
    module: dict[str, Any] = {"__name__": "elsewhere"}
    exec(source_of(function), module)  # noqa: S102 - this is what a worker does
    return module[function.__name__](*arguments)


def test_a_function_takes_constants_functions_classes_and_modules_along() -> None:
    def load(x: float) -> object:
        names = [key * 2 for key in NAMES]
        return Scaler()(x), helper(x), FILE.name, os.path.sep, names, json.dumps(NAMES["a"])

    assert run(load, 2.0) == (9.0, 3, "weights.npy", "/", ["aa", "bb"], "[1, 2.5]")
    assert "import math as math" in source_of(load)
    assert source_of(load) == source_of(load)


def test_names_of_inner_functions_and_attributes_are_told_apart() -> None:
    def load() -> object:
        def inner() -> object:
            return FACTOR

        class Holder:
            LOCK = 1  # an attribute; the global of that name is not used

        return inner(), Holder.LOCK

    assert run(load) == (3, 1)
    assert "LOCK = <" not in source_of(load)


def test_an_annotation_is_not_evaluated() -> None:
    def load(values: float) -> dict[str, Any]:
        return {"double": values * 2}

    assert run(load, 2) == {"double": 4}


def test_what_cannot_be_text_is_refused_with_the_reason() -> None:
    variable = 1

    def closure() -> object:
        return variable

    def with_lock() -> object:
        return LOCK

    @functools.cache
    def decorated() -> int:
        return 1

    def undefined() -> object:
        return no_such_name  # type: ignore[name-defined] # noqa: F821

    def of_decorated() -> object:
        return plainly()

    for function, reason in (
        (lambda: 1, "a lambda has no name by which a worker can find it"),
        (closure, r"it uses variables of the function around it \(variable\)"),
        (with_lock, "it uses the global 'LOCK', a lock"),
        (undefined, "it uses 'no_such_name', which is not defined"),
        (decorated.__wrapped__, "decorated has a decorator"),
        (of_decorated, "it uses the global 'plainly'"),
    ):
        with pytest.raises(WrongUseError, match=f"WRONG_LOADER: .*{reason}.*from my_module import"):
            source_of(function)


@functools.cache
def plainly() -> int:
    return 1


def test_a_function_without_a_source_is_refused() -> None:
    module: dict[str, Any] = {"__name__": "__main__"}
    exec("def load():\n    return 1\n", module)  # noqa: S102
    with pytest.raises(WrongUseError, match="the source of load is not known"):
        source_of(module["load"])
