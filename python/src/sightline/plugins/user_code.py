"""The sources of a user's function or class, which travel to the workers inside the bundle."""

from __future__ import annotations

import hashlib
import io
import sys
import sysconfig
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any
from zipimport import zipimporter

from sightline.errors import WrongUseError
from sightline.plugins.function_source import function_source

_EPOCH = (1980, 1, 1, 0, 0, 0)
_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class UserCode:
    """A function or class by name, and the files that define it.

    Args:
        reference: ``package.module:name``.
        files: Content of each file in the archive, by path. Installed packages are not in it: the
            workers need them installed.
    """

    reference: str
    files: Mapping[str, bytes]


def loader_code(function: object) -> UserCode:
    """Return the code of a user's loader.

    A function of an importable module is named, and its module's file (or the whole package) is
    copied. A function of a notebook, of the running script or of another function is copied as
    text; see `function_source`.

    Raises:
        WrongUseError: WRONG_LOADER with the reason and what to do.
    """
    if not isinstance(function, FunctionType):
        raise WrongUseError(
            "WRONG_LOADER",
            f"{function!r:.80} is not a function: a worker finds a loader by module and name. "
            "Define a function that returns the model.",
        )
    module, name = function.__module__, function.__qualname__
    plain = name.isidentifier() and function.__name__ != "<lambda>"
    found = getattr(sys.modules.get(module), name, None)
    if plain and module != "__main__" and found is function:
        return UserCode(f"{module}:{name}", module_files(module))
    text, imported = function_source(function)
    content = text.encode()
    own = f"sightline_loader_{hashlib.sha256(content).hexdigest()[:12]}"
    files = {f"{own}.py": content}
    for one in sorted(imported):
        files.update(module_files(one))
    return UserCode(f"{own}:{function.__name__}", files)


def class_code(class_: type[Any]) -> UserCode:
    """Return the code of a plugin's class, which must be in an importable module.

    Raises:
        WrongUseError: WRONG_LOADER.
    """
    module, name = class_.__module__, class_.__qualname__
    if module == "__main__" or "<" in name:
        raise WrongUseError(
            "WRONG_LOADER",
            f"the plugin {name} is defined in {module}, which a worker cannot import. Move the "
            "class to a module of its own.",
        )
    archive = _archive_of(class_)
    files = module_files(module) if archive is None else archive_files(archive)
    return UserCode(f"{module}:{name}", files)


def _archive_of(class_: type[Any]) -> Path | None:
    """Return the zip that the class was imported from.

    A zip that was loaded later may have replaced the module of that name.
    """
    for value in vars(class_).values():
        if isinstance(value, FunctionType) and value.__module__ == class_.__module__:
            loader = value.__globals__.get("__loader__")
            return Path(loader.archive) if isinstance(loader, zipimporter) else None
    return None


def module_files(module: str) -> dict[str, bytes]:
    """Return the files of a module's top-level package; none if the package is installed."""
    top = module.partition(".")[0]
    found = sys.modules[top]
    loader = getattr(found, "__loader__", None)
    if isinstance(loader, zipimporter):
        return archive_files(Path(loader.archive))
    file = getattr(found, "__file__", None)
    if top == "sightline" or file is None or _is_installed(Path(file)):
        return {} if not _is_namespace(found) else _folder_files(top, found)
    path = Path(file)
    if path.name != "__init__.py":
        return {path.name: path.read_bytes()}
    return _folder_files(top, found)


def archive_files(archive: Path) -> dict[str, bytes]:
    """Return the files of a zip by their paths."""
    with zipfile.ZipFile(archive) as opened:
        names = [one for one in opened.namelist() if not one.endswith(("/", ".pyc"))]
        return _limited({name: opened.read(name) for name in names})


def given_files(paths: str | Path | Iterable[str | Path]) -> dict[str, bytes]:
    """Return the sources that a user adds: modules, folders of a package, or zips; or one of them.

    Raises:
        WrongUseError: PATH_NOT_FOUND.
    """
    files: dict[str, bytes] = {}
    for path in map(Path, [paths] if isinstance(paths, str | Path) else paths):
        if path.suffix == ".zip" and path.is_file():
            files |= archive_files(path)
        elif path.is_file():
            files[path.name] = path.read_bytes()
        elif path.is_dir():
            files |= _tree(path.name, path)
        else:
            raise WrongUseError("PATH_NOT_FOUND", f"'{path}' (option code) does not exist.")
    return _limited(files)


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of the files; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), files[name])
    return buffer.getvalue()


def _folder_files(top: str, module: ModuleType) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for folder in module.__path__:
        files |= _tree(top, Path(folder))
    return _limited(files)


def _tree(top: str, folder: Path) -> dict[str, bytes]:
    return {
        f"{top}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".pyc" and "__pycache__" not in path.parts
    }


def _is_installed(file: Path) -> bool:
    paths = sysconfig.get_paths()
    folders = {
        Path(paths[name]).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")
    }
    return any(file.resolve().is_relative_to(folder) for folder in folders)


def _is_namespace(module: ModuleType) -> bool:
    """Whether the module is a folder without __init__.py that is not installed."""
    return (
        getattr(module, "__file__", None) is None
        and hasattr(module, "__path__")
        and not any(_is_installed(Path(folder)) for folder in module.__path__)
    )


def _limited(files: dict[str, bytes]) -> dict[str, bytes]:
    size = sum(map(len, files.values()))
    if size > _MOST_BYTES:
        raise WrongUseError(
            "WRONG_LOADER",
            f"its package has {size} bytes of files; at most {_MOST_BYTES} travel with a model. "
            "Install the package on the workers, or put the loader in a module of its own.",
        )
    return files
