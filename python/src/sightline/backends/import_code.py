"""Imports a function from the sources that a bundle contains."""

from __future__ import annotations

import importlib
import operator
import os
import sys
import threading
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

_lock = threading.Lock()
_archives: set[str] = set()  # that are or were on sys.path


def import_code(reference: str, archive: Path) -> Any:  # noqa: ANN401 - an attribute of any type
    """Import an object by its name, first from the archive, else from the installed packages.

    The archive stays on `sys.path`, because a function may import more when it is called. Modules
    of an earlier archive with the same names and other sources are imported again, so that two
    versions of a model can run in one process.

    Args:
        reference: `package.module:name`; the name may have dots.
        archive: A zip of Python sources.
    """
    module, _, name = reference.partition(":")
    return operator.attrgetter(name)(import_module_of(module, archive))


def import_module_of(module: str, archive: Path) -> ModuleType:
    """Import a module as `import_code` does.

    Raises:
        ImportError: If a module of the archive has the name of one that the program loaded from
            elsewhere, or of Python's own library. The program's modules must stay as they are.
    """
    with _lock:
        _forget_other_versions(archive)
        path = str(archive)
        _archives.add(path)
        if path in sys.path:
            sys.path.remove(path)
        sys.path.insert(0, path)
        importlib.invalidate_caches()
        return importlib.import_module(module)


def _forget_other_versions(archive: Path) -> None:
    """Remove modules of earlier archives that have the archive's names and other sources."""
    with zipfile.ZipFile(archive) as sources:
        files = [name for name in sources.namelist() if name.endswith(".py")]
        texts = {_module_name(name): sources.read(name) for name in files}
    # The running program stays: __main__.py of an archive is not imported.
    tops = {name.partition(".")[0] for name in texts} - {"__main__"}
    for top in sorted(tops & sys.stdlib_module_names):
        raise ImportError(f"its module '{top}' has the name of one of Python's own. Rename it")
    loaded = [name for name in sys.modules if name.partition(".")[0] in tops]
    changed = {name.partition(".")[0] for name in loaded if _source(name) != texts.get(name)}
    for name in loaded:
        if name.partition(".")[0] in changed and not _is_of_archive(name):
            raise ImportError(
                f"its module '{name}' has the name of one that is loaded already, from "
                f"{getattr(sys.modules[name], '__file__', None) or 'elsewhere'}. Rename it"
            )
    for name in loaded:
        if name.partition(".")[0] in changed:
            del sys.modules[name]


def _is_of_archive(name: str) -> bool:
    """Whether a loaded module was imported from an archive of `import_module_of`."""
    module = sys.modules[name]
    paths = [getattr(module, "__file__", None) or "", *getattr(module, "__path__", [])]
    return any(path.startswith(f"{archive}{os.sep}") for path in paths for archive in _archives)


def _module_name(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _source(name: str) -> bytes | None:
    """Return the source of a loaded module; None if it cannot be read."""
    loader = getattr(sys.modules[name], "__loader__", None)
    try:
        path = loader.get_filename(name)  # type: ignore[union-attr]
        content: bytes = loader.get_data(path)  # type: ignore[union-attr]
    except (AttributeError, ImportError, OSError):
        return None
    return content
