"""The temporary folder of the models that plugins make; it lives as long as this process."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from sightline.bundle.bundle import Bundle
from sightline.bundle.manifest import MANIFEST_FILE


@cache
def session_folder() -> Path:
    """Return the folder. It is removed when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="sightline-plugins-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def write_bundle(name: str, manifest: bytes, files: Mapping[str, bytes]) -> Path:
    """Write a bundle. The same content is written once, at the same path.

    Args:
        name: Name of the model.
        manifest: The text of model.json.
        files: All other files by name.
    """
    folder = session_folder() / f"{name}-{hashlib.sha256(manifest).hexdigest()[:12]}"
    if not (folder / MANIFEST_FILE).is_file():
        folder.mkdir(exist_ok=True)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        (folder / MANIFEST_FILE).write_bytes(manifest)
    return folder


def keep_file(file: Path) -> Path:
    """Copy a file into the session's folder, and return its new path.

    The same content is kept once, at the same path, whatever happens to the file.
    """
    content = file.read_bytes()
    copy = session_folder() / f"{hashlib.sha256(content).hexdigest()}{file.suffix}"
    if not copy.exists():
        with tempfile.NamedTemporaryFile(dir=session_folder(), delete=False) as whole:
            whole.write(content)
        Path(whole.name).replace(copy)  # another thread never sees a part of it
    return copy


def keep_bundle(bundle: Bundle) -> Path:
    """Move a bundle's folder into the session's folder, and return its new path.

    The same content is kept once, at the same path.
    """
    folder = session_folder() / f"{bundle.name}-{bundle.sha256[:12]}"
    if not folder.exists():
        shutil.move(bundle.path, folder)
    return folder
