"""Search of a model by its name: the folders, and their order."""

from __future__ import annotations

import os
from pathlib import Path

import sightline
from sightline.bundle.bundle import Bundle
from sightline.bundle.manifest import MANIFEST_FILE
from sightline.errors import WrongUseError

MODELS_VARIABLE = "SIGHTLINE_MODELS"


def find_bundle(name_or_path: str, models_root: Path | str | None = None) -> Bundle:
    """Open the bundle with that name or at that path.

    Args:
        name_or_path: A name such as `id_fraud`, or the path of a bundle's folder or zip
            (`./id_fraud`).
        models_root: The folder to search first. If None, SIGHTLINE_MODELS is used if it is set.

    Raises:
        WrongUseError: UNKNOWN_MODEL with the known names; INVALID_BUNDLE if it is damaged.
    """
    if is_path(name_or_path):
        path = Path(name_or_path)
        if path.exists():
            return Bundle.load(path)
    known = known_models(models_root)
    if is_path(name_or_path) or name_or_path not in known:
        names = ", ".join(known) or f"none (set --models or {MODELS_VARIABLE})"
        raise WrongUseError("UNKNOWN_MODEL", f"'{name_or_path}'. Known: {names}.")
    return Bundle.load(known[name_or_path])


def is_path(name_or_path: str) -> bool:
    """Whether the text is a path and not a name: it contains a slash or ends in ``.zip``."""
    return "/" in name_or_path or os.sep in name_or_path or name_or_path.endswith(".zip")


def known_models(models_root: Path | str | None = None) -> dict[str, Path]:
    """Return the path of each model by name, sorted by name. The first folder has precedence."""
    found: dict[str, Path] = {}
    for root in search_folders(models_root):
        for path in sorted(root.iterdir()) if root.is_dir() else []:
            if _holds_bundle(path) and not path.name.startswith("."):
                found.setdefault(path.name.removesuffix(".zip"), path)
    return dict(sorted(found.items()))


def search_folders(models_root: Path | str | None = None) -> list[Path]:
    """Return the folders in search order: the given one, ./models, and the built-in one."""
    explicit = models_root or os.environ.get(MODELS_VARIABLE)
    built_in = _built_in_folder(Path(sightline.__file__).parent)
    return [*([Path(explicit)] if explicit else []), Path("models"), built_in]


def writable_folder(models_root: Path | str | None = None) -> Path:
    """Return the folder for new models: the given one, else SIGHTLINE_MODELS, else ./models."""
    return Path(models_root or os.environ.get(MODELS_VARIABLE) or "models")


def _built_in_folder(package: Path) -> Path:
    """Return `models` of the installed package, or of the repository in a source checkout."""
    is_checkout = package.parts[-3:] == ("python", "src", "sightline")
    return package.parents[2] / "models" if is_checkout else package / "models"


def _holds_bundle(path: Path) -> bool:
    return (path / MANIFEST_FILE).is_file() or (path.suffix == ".zip" and path.is_file())
