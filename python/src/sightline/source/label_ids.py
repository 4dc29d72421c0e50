"""True class ids, from whatever a table holds."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from sightline.errors import WrongUseError

_DIGITS = re.compile(r"[+-]?[0-9]+")
_INT32 = range(-(2**31), 2**31)


def read_label_ids(column: pa.ChunkedArray[Any], name: str, table: Path) -> pa.Array[Any]:
    """The ids as int32, null where there is none.

    Args:
        column: Numbers, or their text.
        name: Of the column, for messages.
        table: For messages.

    Raises:
        WrongUseError: INVALID_LABEL_ID, with the first value that is no whole number.
    """
    ids: list[int | None] = []
    for value in column.to_pylist():
        number = None if value is None else _whole(value)
        # Asked of None, a range would be searched number by number.
        if value is not None and (number is None or number not in _INT32):
            raise WrongUseError(
                "INVALID_LABEL_ID",
                f"{table} has the class id '{value}' in column '{name}', which is no whole number. "
                "Name the column of class ids by --label-id-column.",
            )
        ids.append(number)
    return pa.array(ids, pa.int32())


def _whole(value: object) -> int | None:
    if isinstance(value, str):
        text = value.strip()
        return int(text) if len(text) < 20 and _DIGITS.fullmatch(text) else None
    if isinstance(value, int | float | Decimal) and value % 1 == 0:
        return int(value)
    return None
