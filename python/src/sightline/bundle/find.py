"""Where a model's name leads: which folders are searched, and in which order."""

from __future__ import annotations

import os
from pathlib import Path

import sightline
from sightline.bundle.bundle import Bundle
from sightline.bundle.manifest import MANIFEST_FILE
from sightline.errors import WrongUseError

MODELS_VARIABLE = "SIGHTLINE_MODELS"


def find_bundle(name_or_path: str, models_root: Path | str | None = None) -> Bundle:
    """Open the bundle of that name or at that path.

    Args:
        name_or_path: `id_fraud`, or the path of a bundle's folder or zip (`./id_fraud`).
        models_root: The folder to search first; None: SIGHTLINE_MODELS, if that is set.

    Raises:
        WrongUseError: UNKNOWN_MODEL, listing the known ones; INVALID_BUNDLE if it is damaged.
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
    """Whether it is the place of a bundle, and no name: it holds a slash or ends in ``.zip``."""
    return "/" in name_or_path or os.sep in name_or_path or name_or_path.endswith(".zip")


def known_models(models_root: Path | str | None = None) -> dict[str, Path]:
    """The path of each model that a name can reach, sorted by name; the first folder wins."""
    found: dict[str, Path] = {}
    for root in search_folders(models_root):
        for path in sorted(root.iterdir()) if root.is_dir() else []:
            if _holds_bundle(path) and not path.name.startswith("."):
                found.setdefault(path.name.removesuffix(".zip"), path)
    return dict(sorted(found.items()))


def search_folders(models_root: Path | str | None = None) -> list[Path]:
    """The asked-for folder, `models` of the working folder, and the built-in one, in that order."""
    explicit = models_root or os.environ.get(MODELS_VARIABLE)
    built_in = _built_in_folder(Path(sightline.__file__).parent)
    return [*([Path(explicit)] if explicit else []), Path("models"), built_in]


def writable_folder(models_root: Path | str | None = None) -> Path:
    """Where `models add` writes: the asked-for folder, else SIGHTLINE_MODELS, else ./models."""
    return Path(models_root or os.environ.get(MODELS_VARIABLE) or "models")


def _built_in_folder(package: Path) -> Path:
    """`models` inside the installed package; in a source checkout, that of the repository."""
    is_checkout = package.parts[-3:] == ("python", "src", "sightline")
    return package.parents[2] / "models" if is_checkout else package / "models"


def _holds_bundle(path: Path) -> bool:
    return (path / MANIFEST_FILE).is_file() or (path.suffix == ".zip" and path.is_file())
