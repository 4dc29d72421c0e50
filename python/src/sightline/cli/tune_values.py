"""The values of `sightline tune`'s options: lists, ranges, layers and settings."""

from __future__ import annotations

import math
from collections.abc import Callable

import click

from sightline.errors import WrongUseError

# Those of sightline.tune, which is not imported here: `--help` must not load pyspark.
_HEADS = ("logistic", "mlp")
_METRICS = ("accuracy", "f1", "logLoss")
_MOST_NEURONS = 1_000_000_000


def heads(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    """Return the heads of ``logistic,mlp``, without duplicates.

    Raises:
        WrongUseError: UNKNOWN_HEAD.
        click.BadParameter: If the list is empty.
    """
    names = _words(context, parameter, value)
    for name in names:
        if name not in _HEADS:
            message = f"--head '{name}'. Known: {', '.join(_HEADS)}."
            raise WrongUseError("UNKNOWN_HEAD", message)
    return names


def metric(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Return the name of a metric.

    Raises:
        WrongUseError: UNKNOWN_METRIC.
    """
    if value not in _METRICS:
        message = f"--metric '{value}'. Known: {', '.join(_METRICS)}."
        raise WrongUseError("UNKNOWN_METRIC", message)
    return value


def pair(
    above: float = -math.inf, least: float = -math.inf, most: float = math.inf
) -> Callable[[click.Context, click.Parameter, str], tuple[float, float]]:
    """Return the callback for an option ``LOW:HIGH``, or one number, of real numbers.

    Args:
        above: Both numbers are larger.
        least: Both numbers are at least this.
        most: Both numbers are at most this.
    """

    def read(context: click.Context, parameter: click.Parameter, value: str) -> tuple[float, float]:
        try:
            numbers = [float(word) for word in value.split(":")]
        except ValueError:
            numbers = []
        low, high = (numbers * 2)[:2] if 1 <= len(numbers) <= 2 else (math.nan, math.nan)
        if not (above < low and least <= low <= high <= most and math.isfinite(high)):
            rule = f"above {above:g}" if above > -math.inf else f"from {least:g} to {most:g}"
            message = (
                f"'{value}' must be two numbers LOW:HIGH, {rule}, such as {parameter.default}."
            )
            raise click.BadParameter(message, context, parameter)
        return low, high

    return read


def whole_pair(context: click.Context, parameter: click.Parameter, value: str) -> tuple[int, int]:
    """Return the two whole numbers of ``LOW:HIGH``, both at least 1.

    Raises:
        click.BadParameter: For other texts.
    """
    words = value.split(":")
    numbers = [int(word) for word in words if word.isdecimal()]
    low, high = (numbers * 2)[:2] if 1 <= len(words) <= 2 and numbers else (0, 0)
    if len(numbers) != len(words) or not 1 <= low <= high < 2**31:
        message = (
            f"'{value}' must be two whole numbers LOW:HIGH, at least 1, such as "
            f"{parameter.default}."
        )
        raise click.BadParameter(message, context, parameter)
    return low, high


def layers(
    context: click.Context, parameter: click.Parameter, value: str
) -> tuple[tuple[int, ...], ...]:
    """Return ((64,), (128, 64)) for ``64,128x64``.

    Raises:
        click.BadParameter: For other texts.
    """
    found = []
    for name in _words(context, parameter, value):
        sizes = [int(word) for word in name.split("x") if word.isdecimal()]
        if len(sizes) != name.count("x") + 1 or not all(1 <= n <= _MOST_NEURONS for n in sizes):
            message = f"'{name}' must be the sizes of hidden layers, such as 64 or 128x64."
            raise click.BadParameter(message, context, parameter)
        found.append(tuple(sizes))
    return tuple(dict.fromkeys(found))


def settings(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Return the settings of ``NAME=VALUE`` by name.

    Raises:
        click.BadParameter: For a text without a name or an equals sign.
    """
    found = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not name.strip() or not equals:
            raise click.BadParameter(f"'{text}' must be NAME=VALUE.", context, parameter)
        found[name.strip()] = value
    return found


def _words(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(word.strip() for word in value.split(",") if word.strip()))
    if not names:
        raise click.BadParameter("the list is empty.", context, parameter)
    return names
