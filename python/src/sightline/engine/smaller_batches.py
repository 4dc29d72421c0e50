"""Runs a model on smaller batches after one for which the memory of its device was too small."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping

import numpy as np

from sightline.backends.backend import Array
from sightline.errors import SightlineError

Infer = Callable[[Mapping[str, Array]], tuple[list[Array], dict[int, str]]]


class SmallerBatches:
    """Halves the batches of a model each time that memory runs out, for all threads.

    The decoded rows are kept, and only the model runs again. Batches stay small until the end of
    the run.

    Args:
        infer: Runs one batch; see `infer_rows`.
        model: Name of the model, for the line that is printed.
    """

    def __init__(self, infer: Infer, model: str) -> None:
        self._infer = infer
        self._model = model
        self._lock = threading.Lock()
        self._most_rows: int | None = None
        self.halved = 0
        """How often the batches were halved."""

    def infer(self, inputs: Mapping[str, Array]) -> tuple[list[Array], dict[int, str]]:
        """Run a batch, in parts if needed.

        Returns:
            The arrays of the heads and the problems by row, as of one batch.

        Raises:
            SightlineError: OUT_OF_MEMORY if memory runs out for one row; other errors of the model.
        """
        rows = len(next(iter(inputs.values())))
        found: list[list[Array]] = []
        problems: dict[int, str] = {}
        at = 0
        while at < rows:
            size = min(self._most_rows or rows, rows - at)
            try:
                arrays, of_rows = self._infer(
                    {name: one[at : at + size] for name, one in inputs.items()}
                )
            except SightlineError as error:
                if error.code != "OUT_OF_MEMORY" or size == 1:
                    raise
                self._halve(size)
                continue
            found.append(arrays)
            problems |= {at + row: problem for row, problem in of_rows.items()}
            at += size
        if len(found) == 1:
            return found[0], problems
        return [np.concatenate(parts) for parts in zip(*found, strict=True)], problems

    def _halve(self, size: int) -> None:
        with self._lock:
            # Another thread may have done it.
            if self._most_rows is not None and self._most_rows < size:
                return
            self._most_rows = size // 2
            self.halved += 1
        sys.stderr.write(
            f"sightline: memory ran out when model {self._model} ran on {size} rows; its batches "
            f"have {size // 2} from now on. Set --batch-rows {size // 2} for the next run.\n"
        )
