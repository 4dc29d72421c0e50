"""Checks and errors for option values, with the same codes and words for every option."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real

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


def require_texts(option: str, value: object) -> tuple[str, ...]:
    """Return several texts, and raise an error for another value, such as one text or a number.

    Args:
        option: Its name.
        value: The value that the user gave. An iterator is used up: use the result instead.

    Raises:
        WrongUseError: INVALID_OPTION.
    """
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        texts = value if isinstance(value, Sequence) else tuple(value)
        if all(isinstance(one, str) for one in texts):
            return tuple(texts)
        value = texts
    raise invalid_option(option, value, "It must be a list of texts.")


def require_range(option: str, value: object) -> tuple[float, float]:
    """Return two numbers, and raise an error for another value.

    Raises:
        WrongUseError: INVALID_OPTION.
    """
    if isinstance(value, Sequence) and not isinstance(value, str | bytes) and len(value) == 2:
        low, high = value
        if _is_number(low) and _is_number(high):
            return low, high
    raise invalid_option(option, value, "It must be two numbers: the lowest value and a limit.")


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


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
