"""Sends a task's counters from its worker to the driver."""

from __future__ import annotations

import itertools
import json
from typing import Any

from sightline.engine.counters import Counters

COUNTERS = "sightline_counters"

# Far above the ids that a Python driver gives its own accumulators.
_ids = itertools.count(0x51_0000_0000)


def send_counters(counters: Counters) -> None:
    """Add the counters to the accumulator updates that Spark's worker sends at the task's end.

    The driver's jar sums them over the successful tasks. Spark sends an update as a pickle of
    (id, value). The jar does not unpickle it, so the value is JSON text that the jar finds by name.
    """
    from pyspark.accumulators import Accumulator, AccumulatorParam

    class _Text(AccumulatorParam[str]):
        def zero(self, value: str) -> str:
            return ""

        def addInPlace(self, value1: str, value2: str) -> str:  # noqa: N802 - Spark's name
            return value1 + value2

    text: Any = json.dumps({COUNTERS: counters.as_dict()})
    Accumulator(next(_ids), text, _Text())
