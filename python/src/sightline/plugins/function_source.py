"""Writes a function of a notebook or a script as a module of its own, from its source text.

Nothing is pickled: the module is text that a person can read. It has the function, and what the
function uses of its module: imports, other functions and classes, and plain constants.
"""

from __future__ import annotations

import ast
import builtins
import dis
import inspect
import textwrap
from collections.abc import Callable, Iterator
from pathlib import PurePath
from types import CodeType, FunctionType, ModuleType
from typing import Any

from sightline.errors import WrongUseError

_HELP = (
    "Define it at the top level of a module, and give the function of that module: "
    "from my_module import load"
)


def function_source(function: FunctionType) -> tuple[str, frozenset[str]]:
    """Return the text of a module with the function, and the modules that it imports.

    Raises:
        WrongUseError: WRONG_LOADER, with the reason and what to do, for a lambda, a function with
            a decorator or with variables of an enclosing function, one whose source is not known,
            and one that uses a global object that is no constant.
    """
    writer = _Writer(function)
    writer.add(function.__name__, function)
    text = "\n\n\n".join(["\n".join(sorted(writer.imports)), *writer.parts.values()])
    return f"from __future__ import annotations\n\n{text}\n", frozenset(writer.modules)


class _Writer:
    """The parts of the module that are found so far."""

    def __init__(self, function: FunctionType) -> None:
        self.imports: set[str] = set()
        self.modules: set[str] = set()
        self.parts: dict[str, str] = {}
        self._function = function
        self._globals = function.__globals__

    def add(self, name: str, value: object) -> None:
        """Add a global name with what it needs; the needed parts come first."""
        if name in self.parts:
            return
        if isinstance(value, ModuleType):
            self.imports.add(f"import {value.__name__} as {name}")
            self.modules.add(value.__name__)
        elif isinstance(value, FunctionType | type) and self._is_elsewhere(value):
            self.imports.add(f"from {value.__module__} import {value.__qualname__} as {name}")
            self.modules.add(value.__module__)
        elif isinstance(value, FunctionType | type):
            self._define(name, value)
        elif isinstance(value, PurePath):
            self.imports.add("import pathlib")
            self.parts[name] = f"{name} = pathlib.Path({str(value)!r})"
        elif _is_constant(value):
            self.parts[name] = f"{name} = {value!r}"
        else:
            raise _refused(
                self._function,
                f"it uses the global '{name}', a {type(value).__name__}. Make it in the function "
                "or load it from a file",
            )

    def _is_elsewhere(self, value: Any) -> bool:  # noqa: ANN401
        return value.__module__ != self._function.__module__ and "<" not in value.__qualname__

    def _define(self, name: str, value: FunctionType | type) -> None:
        text, used = _text_and_names(self._function, value)
        if value.__name__ != name:
            raise _refused(self._function, f"'{name}' is another name of {value.__name__}")
        self.parts[name] = ""  # a recursive function finds itself
        for other in used:
            if other in self._globals and other != name:
                self.add(other, self._globals[other])
            elif other not in self._globals and not hasattr(builtins, other):
                raise _refused(self._function, f"it uses '{other}', which is not defined")
        del self.parts[name]
        self.parts[name] = text


def _text_and_names(loader: FunctionType, value: FunctionType | type) -> tuple[str, list[str]]:
    """Return the source of a function or class, and the global names that it uses."""
    if isinstance(value, FunctionType):
        if value.__name__ == "<lambda>":
            raise _refused(loader, "a lambda has no name by which a worker can find it")
        if value.__closure__:
            names = ", ".join(value.__code__.co_freevars)
            raise _refused(loader, f"it uses variables of the function around it ({names})")
    try:
        text = textwrap.dedent(inspect.getsource(value))
        tree = ast.parse(text).body[0]
    except (OSError, TypeError, SyntaxError, IndexError) as error:
        raise _refused(loader, f"the source of {value.__name__} is not known") from error
    if not isinstance(tree, ast.FunctionDef | ast.ClassDef):
        raise _refused(loader, f"{value.__name__} is not defined by a plain def or class")
    if tree.decorator_list and isinstance(value, FunctionType):
        raise _refused(loader, f"{value.__name__} has a decorator")
    code = compile(ast.Module([tree], []), "<loader>", "exec", dont_inherit=True)
    local = {tree.name}
    return text.rstrip(), [one for one in dict.fromkeys(_global_names(code)) if one not in local]


def _global_names(code: CodeType) -> Iterator[str]:
    """Yield the global names that a piece of code and the functions in it read."""
    defined: set[str] = set()
    for one in dis.get_instructions(code):
        if one.opname.startswith(("STORE_NAME", "STORE_GLOBAL")):
            defined.add(str(one.argval))
        reads = one.opname.startswith(("LOAD_GLOBAL", "LOAD_NAME"))
        if reads and one.argval not in defined and not str(one.argval).startswith("__"):
            yield str(one.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _global_names(constant)


def _is_constant(value: object) -> bool:
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError, TypeError):
        return False


def _refused(function: Callable[..., Any], problem: str) -> WrongUseError:
    name = getattr(function, "__qualname__", repr(function))
    return WrongUseError(
        "WRONG_LOADER", f"'{name}' cannot be sent to the workers as text: {problem}. {_HELP}."
    )
