"""Counts and times of one run of the engine."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(slots=True)
class Counters:
    """Counts and seconds of one run of the engine; `cpu` means CPU time of a thread.

    Args:
        images: Input rows.
        decoded: Rows that the feeds received, such as images with bytes.
        image_bytes: Total bytes of their values, such as encoded images.
        batches: Batches that the worker threads ran.
        halved_batches: How often batches were halved because memory ran out.
        read_cpu_s: CPU time of the thread that reads the source.
        read_wait_s: Wall time in which the engine only waited for its source.
        decode_cpu_s: CPU time of the feeds, which decode and resize images, over all worker
            threads.
        infer_cpu_s: CPU time of the model and the heads, which rank scores, over all worker
            threads. It is complete only if operators run in one thread on the CPU.
        infer_wall_s: Wall time of the same work, summed over worker threads. It is more than the
            CPU time if a thread waits for a device or for a core.
        result_cpu_s: Building the output columns.
        thread_wait_s: Wall time in which the engine waited for its worker threads and had no result
            to emit.
        errors: The number of rows with an error, by its code.
    """

    images: int = 0
    decoded: int = 0
    image_bytes: int = 0
    batches: int = 0
    halved_batches: int = 0
    read_cpu_s: float = 0.0
    read_wait_s: float = 0.0
    decode_cpu_s: float = 0.0
    infer_cpu_s: float = 0.0
    infer_wall_s: float = 0.0
    result_cpu_s: float = 0.0
    thread_wait_s: float = 0.0
    errors: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, float]:
        """Return the values by name, without the errors; seconds are rounded to 0.1 ms."""
        names = [one.name for one in fields(self) if one.name != "errors"]
        return {name: round(getattr(self, name), 4) for name in names}

    def add_errors(self, errors: pa.Array[Any]) -> None:
        """Count the errors of a batch.

        Args:
            errors: struct<code, stage, message>, null in rows without an error.
        """
        if errors.null_count == len(errors):
            return
        for one in pc.value_counts(pc.struct_field(errors.drop_null(), "code")).to_pylist():
            self.errors[one["values"]] = self.errors.get(one["values"], 0) + one["counts"]
