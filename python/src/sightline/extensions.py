"""Third-party backends, feeds, heads and sources, found by the entry points of their packages.

The search for names imports nothing. An extension is imported when it is used.
"""

from __future__ import annotations

from importlib import metadata
from typing import Any, Literal

from sightline.errors import WrongUseError

Group = Literal[
    "sightline.backends",
    "sightline.feeds",
    "sightline.heads",
    "sightline.plugins",
    "sightline.sources",
]


def extension_names(group: Group) -> tuple[str, ...]:
    """Return the names of the installed extensions of one group, sorted."""
    return tuple(sorted({one.name for one in metadata.entry_points(group=group)}))


def load_extension(group: Group, name: str) -> Any:  # noqa: ANN401 - the caller knows the type
    """Import an extension.

    Args:
        group: The group of the entry point.
        name: Name of the entry point.

    Returns:
        The object that the entry point names.

    Raises:
        WrongUseError: UNKNOWN_EXTENSION with the installed names if there is no such entry point.
            BROKEN_EXTENSION if it cannot be imported, or if two packages have an entry point of
            that name; the message names the package.
    """
    found = list(metadata.entry_points(group=group, name=name))
    if not found:
        raise unknown_extension(group, name, ())
    packages = sorted({_package(one) for one in found})
    if len({one.value for one in found}) > 1:
        raise WrongUseError(
            "BROKEN_EXTENSION",
            f"the entry point '{name}' of {group} is in {' and '.join(packages)}. Uninstall all "
            "but one of them.",
        )
    try:
        return found[0].load()
    except Exception as error:
        raise WrongUseError(
            "BROKEN_EXTENSION",
            f"the entry point '{name}' of {group} in package {packages[0]} cannot be loaded: "
            f"{type(error).__name__}: {' '.join(str(error).split())[:300]}. Fix or uninstall "
            "the package.",
        ) from error


def extension_package(group: Group, name: str) -> str | None:
    """Return the name of the package that provides an extension; None if none does."""
    found = list(metadata.entry_points(group=group, name=name))
    return _package(found[0]) if found else None


def unknown_extension(group: Group, name: str, built_in: tuple[str, ...]) -> WrongUseError:
    """Return the error for a name that is neither built in nor installed.

    Args:
        group: The group of the entry point.
        name: The requested name.
        built_in: The names that need no package.
    """
    what = group.partition(".")[2].removesuffix("s")
    known = ", ".join([*built_in, *extension_names(group)]) or "none"
    return WrongUseError(
        "UNKNOWN_EXTENSION",
        f"there is no {what} '{name}'. Known: {known}. Install the package that provides it.",
    )


def _package(entry: metadata.EntryPoint) -> str:
    dist = getattr(entry, "dist", None)
    return str(dist.name) if dist is not None else entry.module
