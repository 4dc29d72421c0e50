"""Checks that a file of torch.export can be read without running code that it contains."""

from __future__ import annotations

import ast
import io
import json
import pickle
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from sightline.errors import WrongUseError

# Functions that torch writes in the lengths of axes: sympy's and those of torch.utils._sympy.
_MATHEMATICS = re.compile(
    "Abs|Add|And|BooleanFalse|BooleanTrue|CeilDiv|CeilToInt|CleanDiv|Eq|Equality|Float|"
    "FloatPow|FloatTrueDiv|FloorDiv|FloorToInt|Ge|GreaterThan|Gt|Identity|IntTrueDiv|Integer|"
    "IsNonOverlappingAndDenseIndicator|LShift|Le|LessThan|Lt|Max|Min|Mod|ModularIndexing|Mul|"
    "Ne|Not|One|Or|Piecewise|Pow|PowByNatural|PythonMod|RShift|Rational|RoundDecimal|"
    "RoundToInt|StrictGreaterThan|StrictLessThan|Symbol|ToFloat|TruncToFloat|TruncToInt|"
    "Unequality|Where|Zero|ceiling|floor|int_oo|oo|sqrt|true|false"
)
_NODES = (
    ast.Expression, ast.Call, ast.Name, ast.Load, ast.Constant, ast.keyword, ast.BinOp, ast.UnaryOp,
    ast.operator, ast.unaryop, ast.Compare, ast.cmpop, ast.BoolOp, ast.boolop, ast.Tuple,
)  # fmt: skip
# The operations that a graph may call. `torch.os.system` would be one, too, for torch.
_OPERATION = re.compile(
    r"torch\.ops\.(aten|prims|torchvision|higher_order|quantized_decomposed)(\.\w+){1,2}"
    r"|_operator\.(?!_)\w+|math\.(?!_)\w+|torch\.(_?sym_\w+)"
)
# Among these, the ones that write files, or that call code which is not part of the graph.
_UNSAFE_OPERATION = re.compile(
    r"torch\.ops\.aten\.(from_file|save)(\.\w+)?"
    r"|torch\.ops\.higher_order\.(aoti_call_delegate|call_torchbind|executorch_call_delegate"
    r"|inductor_compiled_code|inline_asm_elementwise|invoke_leaf_function|triton_kernel_\w+)"
)

TORCHSCRIPT = (
    "it is TorchScript, which torch no longer develops and which cannot be exported again. Save "
    "the network that it was made from by torch.export.save(torch.export.export(network.eval(), "
    "examples), FILE)"
)
_COMPILED, _EXAMPLES = "data/aotinductor/", "data/sample_inputs/"
# Raw numbers. torch unpickles entries with other names.
_PLAIN_ENTRY = re.compile(r"(weight|tensor)_\d+")


def require_plain_archive(path: Path) -> None:
    """Refuse a file with which torch.export.load would run code of the file.

    torch.export.load unpickles some entries without restriction, evaluates the expressions of
    axes' lengths as Python, and resolves the graph's operations by name. So pickled entries must
    be plain tensors, expressions plain mathematics, and operations torch's own operators that
    access no files.

    Raises:
        WrongUseError: BAD_MODEL_FILE if it is not a file of torch.export; NO_SOURCE if it contains
            weights alone; UNSAFE_MODEL if it contains code.
    """
    if not path.is_file():
        raise bad_file(path, "the file does not exist")
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            _require_export(path, names)
            lower = {name.lower() for name in names}  # torch finds an entry without regard to case
            if len(lower) < len(names) or any(_COMPILED in name for name in lower):
                raise _unsafe(path, "it contains compiled code, or two entries of one name")
            for name in names:
                if name.lower().endswith(".json"):
                    _check_json(path, name, json.loads(archive.read(name)))
                elif _EXAMPLES in name.lower():
                    _check_pickle(path, archive.read(name))
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise bad_file(path, f"it is damaged, or not a file of torch.export ({error})") from error


def bad_file(path: Path, problem: str) -> WrongUseError:
    """Return the error for a file that is not a model of the framework that was named."""
    return WrongUseError("BAD_MODEL_FILE", f"'{path}': {problem}.")


def _require_export(path: Path, names: list[str]) -> None:
    inner = {name.partition("/")[2] for name in names}
    if "version" in names:  # torch.export.load would read the older format in this file
        raise bad_file(
            path, "torch 2.7 or older wrote it. Export it again by torch.export.save of torch 2.8+"
        )
    if "models/model.json" in inner:
        return
    if "constants.pkl" in inner or any(name.startswith("code/") for name in inner):
        raise bad_file(path, TORCHSCRIPT)
    if "data.pkl" in inner:
        raise WrongUseError(
            "NO_SOURCE",
            f"'{path}' has weights without a network. Give it as --weights with the network's "
            "--architecture, or save the network by torch.export.save.",
        )
    raise bad_file(path, "it is not a file of torch.export.save, which contains models/model.json")


def _check_json(path: Path, name: str, content: object) -> None:
    for key, value in _entries(content):
        if key == "path_name" and not _PLAIN_ENTRY.fullmatch(str(value)):
            raise _unsafe(path, f"{name} names the object '{str(value)[:80]}', which is pickled")
        if key == "use_pickle" and value:
            raise _unsafe(path, f"{name} names a pickled tensor")
        if key == "expr_str" and not _is_mathematics(str(value)):
            raise _unsafe(path, f"the length of an axis is the expression {str(value)[:80]!r}")
        called = [value] if key == "as_operator" else []
        if key == "nodes" and isinstance(value, list):
            called = [one.get("target") for one in value if isinstance(one, dict)]
        for target in called:
            known = _OPERATION.fullmatch(str(target))
            if not known or _UNSAFE_OPERATION.fullmatch(str(target)):
                raise _unsafe(path, f"its graph calls '{str(target)[:80]}'")


def _check_pickle(path: Path, content: bytes) -> None:
    if not content:
        return
    try:
        torch.load(io.BytesIO(content), weights_only=True)
    except pickle.UnpicklingError as error:
        raise _unsafe(path, "its example inputs are pickled objects, not tensors") from error
    except Exception as error:  # a damaged file can raise any error, such as IndexError
        raise bad_file(path, f"its example inputs cannot be read ({error})") from error


def _is_mathematics(expression: str) -> bool:
    try:
        nodes = list(ast.walk(ast.parse(expression.strip(), mode="eval")))
    except (SyntaxError, ValueError, RecursionError):
        return False
    for node in nodes:
        if not isinstance(node, _NODES):
            return False
        if isinstance(node, ast.Call) and not (
            isinstance(node.func, ast.Name) and _MATHEMATICS.fullmatch(node.func.id)
        ):
            return False
        if isinstance(node, ast.Name) and not (
            _MATHEMATICS.fullmatch(node.id) or re.fullmatch(r"[a-z]{1,4}\d+", node.id)
        ):
            return False
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and not re.fullmatch(r"\w+|[-+\d.e]+", text):
            return False
    return True


def _entries(content: object) -> Iterator[tuple[str, Any]]:
    """Yield every key and value in a JSON text, at any depth."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield key, value
            yield from _entries(value)
    elif isinstance(content, list):
        for value in content:
            yield from _entries(value)


def _unsafe(path: Path, problem: str) -> WrongUseError:
    return WrongUseError(
        "UNSAFE_MODEL",
        f"'{path}': {problem}. Reading it could run code of the file, so nothing of it was read. "
        "Export the network again, from tensors alone.",
    )
