"""Checks and errors for option values, with the same codes and words for every option."""

from __future__ import annotations

from collections.abc import Iterable

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


def invalid_option(option: str, value: object, rule: str) -> WrongUseError:
    """Return the error INVALID_OPTION for a value of a wrong form or outside its range.

    Args:
        option: With its dashes, such as ``--delimiter``.
        value: The value that the user gave.
        rule: A sentence that states which values are accepted.
    """
    return WrongUseError("INVALID_OPTION", f"{option} is '{value}'. {rule}")
