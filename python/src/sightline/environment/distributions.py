"""The installed distributions that executors need, and their files."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from sightline.errors import WrongUseError
from sightline.wrong_option import invalid_option

# Its Python travels in the jar, so that jar and worker always have the same version.
SIGHTLINE = "sightline"
# The folders of pyspark that are no Python: a node has its own Spark.
_SPARK_FOLDERS = {"bin", "data", "examples", "jars", "kubernetes", "licenses", "python", "sbin"}


def find_distributions(requirements: Iterable[str]) -> dict[str, metadata.Distribution]:
    """Return the installed distributions that the requirements need, by name, sorted.

    Includes the distributions that they require themselves. Requirements of a distribution that
    are for other systems or for extras that nobody asked for are left out, as pip does.

    Args:
        requirements: Such as ``pyarrow`` or ``sightline[train]``. Versions are not compared: the
            installed ones are taken.

    Raises:
        WrongUseError: INVALID_OPTION for a text that is no requirement; MISSING_PACKAGE for one
            that is not installed; PACKAGE_NOT_PACKABLE for a package with wrong metadata.
    """
    found: dict[str, metadata.Distribution] = {}
    waiting = [(_parse(text), "--package") for text in requirements]
    done: set[tuple[str, str]] = set()
    while waiting:
        requirement, asked_by = waiting.pop()
        name = canonicalize_name(requirement.name)
        new = [extra for extra in ("", *requirement.extras) if (name, extra) not in done]
        if not new:
            continue
        found[name] = _installed(requirement, asked_by)
        done.update((name, extra) for extra in new)
        for text in found[name].requires or ():
            needed = _required(text, name)
            marker = needed.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in new):
                waiting.append((needed, name))
    return dict(sorted(found.items()))


def _parse(text: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        rule = "It must be the name of an installed package, such as 'timm' or 'sightline[train]'."
        raise invalid_option("--package", text, rule) from error


def _required(text: str, name: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise WrongUseError(
            "PACKAGE_NOT_PACKABLE",
            f"the package {name} requires '{text}', which is no valid requirement. Install a newer "
            f"version of {name}.",
        ) from error


def _installed(requirement: Requirement, asked_by: str) -> metadata.Distribution:
    try:
        return metadata.distribution(requirement.name)
    except metadata.PackageNotFoundError as error:
        raise WrongUseError(
            "MISSING_PACKAGE",
            f"{asked_by} needs the package {requirement.name}, which {sys.executable} does not "
            f"have, so it cannot be packed. Install with: pip install '{requirement}'.",
        ) from error


def is_installed(name: str) -> bool:
    """Whether a distribution of that name is installed."""
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def distribution_files(distribution: metadata.Distribution) -> Iterator[tuple[str, Path]]:
    """Yield the files of a distribution: the path below the archive's ``lib``, and the file.

    Programs (``bin``) and compiled files (``.pyc``) are left out. A path in site-packages begins
    with ``site-packages/``; another one, such as a shared library in ``lib``, with ``lib/``.

    Raises:
        WrongUseError: PACKAGE_NOT_PACKABLE if the distribution is installed in editable mode or
            has no list of files.
    """
    name = canonicalize_name(distribution.name)
    if _is_editable(distribution):
        raise _not_packable(name, "is installed in editable mode: its files are elsewhere")
    if distribution.files is None:
        raise _not_packable(name, "has no list of its files (RECORD)")
    root = Path(str(distribution.locate_file("")))
    library = Path(sys.prefix) / "lib"
    for file in distribution.files:
        if "__pycache__" in file.parts or file.suffix == ".pyc":
            continue
        if name == "pyspark" and file.parts[0] == "pyspark" and file.parts[1] in _SPARK_FOLDERS:
            continue
        # The path is not resolved: site-packages may be reached by a link.
        path = Path(os.path.normpath(root / file))
        if ".." not in file.parts:
            place = f"site-packages/{file.as_posix()}"
        elif path.is_relative_to(library):
            place = f"lib/{path.relative_to(library).as_posix()}"
        else:
            continue
        if path.is_file():
            yield place, path


def import_names(distribution: metadata.Distribution) -> set[str]:
    """Return the names of a distribution's packages and modules that are not private."""
    names = set()
    for file in distribution.files or ():
        if len(file.parts) == 2 and file.name == "__init__.py":
            names.add(file.parts[0])
        elif len(file.parts) == 1 and file.suffix == ".py":
            names.add(file.stem)
    return {name for name in names if name.isidentifier() and not name.startswith("_")}


def _is_editable(distribution: metadata.Distribution) -> bool:
    text = distribution.read_text("direct_url.json")
    return text is not None and bool(json.loads(text).get("dir_info", {}).get("editable"))


def _not_packable(name: str, why: str) -> WrongUseError:
    return WrongUseError(
        "PACKAGE_NOT_PACKABLE",
        f"the package {name} {why}. Install it again with pip, without -e, and pack again.",
    )
