"""A head that rounds a number to a rating: an integer from `least` to `most`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from sightline.backends.backend import Array
from sightline.bundle.bundle import Bundle
from sightline.bundle.signature import Kind, Output
from sightline.engine.heads.head import BoolArray, Converted, Kept
from sightline.errors import WrongUseError


class RatingHead:
    """Makes one int column of an output float32 (n,)."""

    kept = (Kept("int32", ()),)

    def __init__(self, output: Output, bundle: Bundle) -> None:
        settings = output.head.settings if isinstance(output.head, Kind) else {}
        least, most = settings.get("least"), settings.get("most")
        if not isinstance(least, int) or not isinstance(most, int):
            raise WrongUseError("INVALID_BUNDLE", f"{bundle.path}: a rating has least and most.")
        self._least, self._most = least, most
        self.fields: Sequence[pa.Field[Any]] = (pa.field(output.name, pa.int32()),)

    def convert(self, output: Array) -> Converted:
        """See sightline.engine.heads.head.Head.convert."""
        nan = np.flatnonzero(np.isnan(output)).tolist()
        ratings = np.nan_to_num(output).round().clip(self._least, self._most)
        return Converted((ratings.astype(np.int32),), dict.fromkeys(nan, "The rating is NaN."))

    def columns(self, arrays: Sequence[Array], present: BoolArray) -> list[pa.Array[Any]]:
        """See sightline.engine.heads.head.Head.columns."""
        return [pa.array(arrays[0], pa.int32(), mask=~present)]
