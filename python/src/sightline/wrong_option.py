"""Checks and errors for option values, with the same codes and words for every option."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sightline.errors import WrongUseError


def require_known(option: str, value: str, known: Iterable[str]) -> None:
    """Raise an error for a value that is not one of the option's names.

    Args:
        option: With its dashes, such as ``--backend``.
        value: The value that the user gave.
        known: The names that the option accepts.

    Raises:
        WrongUseError: UNKNOWN_BACKEND for ``--backend``, UNKNOWN_LABELS for ``--labels`` and so
            on, with the known names.
    """
    names = tuple(known)
    if value not in names:
        condition = f"UNKNOWN_{option.removeprefix('--').upper()}"
        raise WrongUseError(condition, f"{option} '{value}'. Known: {', '.join(names)}.")


def require_mapping(option: str, value: object) -> None:
    """Raise an error for a value that is not a mapping, as Python checks no types.

    Raises:
        WrongUseError: INVALID_OPTION.
    """
    if not isinstance(value, Mapping):
        raise invalid_option(option, value, f"It must be a dictionary, such as {_SUCH[option]}.")


def require_texts(option: str, value: object) -> None:
    """Raise an error for a value that is not several texts, such as a single text or a number.

    Raises:
        WrongUseError: INVALID_OPTION.
    """
    if (
        not isinstance(value, Iterable)
        or isinstance(value, str | bytes | Mapping)
        or not all(isinstance(one, str) for one in value)
    ):
        raise invalid_option(option, value, "It must be a list of texts.")


_SUCH = {
    "heads": "{'scores': 'classes'}",
    "images": "{'image': {'resize': 224, 'mean': 0.5, 'std': 0.5}}",
    "ranges": "{'tokens': (0, 1000)}",
}


def invalid_option(option: str, value: object, rule: str) -> WrongUseError:
    """Return the error INVALID_OPTION for a value of a wrong form or outside its range.

    Args:
        option: With its dashes, such as ``--delimiter``.
        value: The value that the user gave.
        rule: A sentence that states which values are accepted.
    """
    return WrongUseError("INVALID_OPTION", f"{option} is '{value}'. {rule}")
