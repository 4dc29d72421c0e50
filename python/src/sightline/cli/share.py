"""Numbers of a range, as the values of options."""

from __future__ import annotations

import math
from typing import Any

import click


class InRange(click.FloatRange):
    """click's own range lets NaN through, which is above and below nothing."""

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """The number.

        Raises:
            click.BadParameter: If it is none, or not in the range.
        """
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not in the range {self._describe_range()}.", param, ctx)
        return number


class Share(InRange):
    """A number in 0..1."""

    def __init__(self) -> None:
        super().__init__(0, 1)
