"""A share of a whole, as the value of an option."""

from __future__ import annotations

import math
from typing import Any

import click


class Share(click.FloatRange):
    """A number in 0..1; click's own range lets NaN through, which is above and below nothing."""

    def __init__(self) -> None:
        super().__init__(0, 1)

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """The number.

        Raises:
            click.BadParameter: If it is none, or not in 0..1.
        """
        share: float = super().convert(value, param, ctx)
        if math.isnan(share):
            self.fail(f"{value} is not in the range 0<=x<=1.", param, ctx)
        return share
