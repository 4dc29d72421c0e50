"""Imports a function from the sources that a bundle contains."""

from __future__ import annotations

import importlib
import operator
import sys
import threading
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

_lock = threading.Lock()


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
    """Import a module as `import_code` does."""
    with _lock:
        _forget_other_versions(archive)
        path = str(archive)
        if path in sys.path:
            sys.path.remove(path)
        sys.path.insert(0, path)
        importlib.invalidate_caches()
        return importlib.import_module(module)


def _forget_other_versions(archive: Path) -> None:
    """Remove loaded modules of the archive's top-level names if one of them has other sources."""
    with zipfile.ZipFile(archive) as sources:
        texts = {_module_name(name): sources.read(name) for name in sources.namelist()}
    tops = {name.partition(".")[0] for name in texts}
    # The running program stays: __main__.py of an archive is not imported.
    loaded = [name for name in sys.modules if name.partition(".")[0] in tops - {"__main__"}]
    changed = {name.partition(".")[0] for name in loaded if _source(name) != texts.get(name)}
    for name in loaded:
        if name.partition(".")[0] in changed:
            del sys.modules[name]


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
