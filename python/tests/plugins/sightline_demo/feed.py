"""A feed that counts the letters a to z of a text: float32 (n, 26)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from sightline.backends.backend import Array
from sightline.bundle.signature import Input
from sightline.engine.settings import EngineSettings
from sightline.errors import WrongUseError
from sightline.row_error import RowError

_A, _Z = ord("a"), ord("z")


class LettersFeed:
    """Makes counts of letters of a column of strings."""

    def __init__(self, input_: Input, spec: EngineSettings) -> None:
        if input_.tensor.dtype != "float32" or input_.tensor.row_shape != (26,):
            raise WrongUseError("INVALID_BUNDLE", "a letters feed makes float32 (n, 26).")

    def open(self, column: pa.Array[Any]) -> LettersColumn:
        """See sightline.engine.feeds.feed.Feed.open."""
        if not pa.types.is_string(column.type):
            raise WrongUseError("WRONG_COLUMN_TYPE", f"the text is {column.type}, not a string.")
        return LettersColumn(column)

    def write(self, value: memoryview, out: Array) -> RowError | None:
        """See sightline.engine.feeds.feed.Feed.write."""
        codes = np.frombuffer(bytes(value).lower(), np.uint8)
        letters = codes[(codes >= _A) & (codes <= _Z)]
        if len(letters) == 0:
            return RowError("INVALID_INPUT", "feed", "The text has no letter from a to z.")
        out[...] = np.bincount(letters - _A, minlength=26)
        return None


class LettersColumn:
    """The texts of one column, as UTF-8."""

    def __init__(self, column: pa.Array[Any]) -> None:
        self._texts = [memoryview((text or "").encode()) for text in column.to_pylist()]
        null = RowError("INVALID_INPUT", "feed", "The text is NULL.")
        self.errors = dict.fromkeys(np.flatnonzero(np.asarray(column.is_null())).tolist(), null)
        self.nbytes = sum(text.nbytes for text in self._texts)

    def __getitem__(self, row: int) -> memoryview:
        """Return the text of one row."""
        return self._texts[row]
