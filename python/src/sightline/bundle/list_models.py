"""`models list`: a table of the known models as text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sightline.bundle.bundle import Bundle
from sightline.errors import SightlineError

_HEADINGS = ("name", "inputs", "outputs", "classes", "parameters", "variants", "MB", "where")


def list_bundles(known: Mapping[str, Path]) -> str:
    """Return a table of the models, one per line. A damaged bundle is marked as such.

    Args:
        known: From `known_models`.
    """
    rows = [_HEADINGS, *(_row(name, path) for name, path in known.items())]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEADINGS))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _row(name: str, path: Path) -> tuple[str, ...]:
    files = [path] if path.is_file() else [file for file in path.iterdir() if file.is_file()]
    size = f"{sum(file.stat().st_size for file in files) / 1e6:.1f}"
    try:
        manifest = Bundle.load(path).manifest
    except SightlineError as error:
        return (name, "damaged", "", "", "", error.code, size, str(path))
    variants = ", ".join(manifest.variants)
    signature = manifest.signature
    kinds = (
        ", ".join(one.kind for one in signature.inputs),
        ", ".join(one.kind for one in signature.outputs),
    )
    classes = f"{signature.classes.tensor.row_shape[0]:,}" if signature.classes else ""
    return (name, *kinds, classes, f"{manifest.parameters:,}", variants, size, str(path))
