"""Counts and times of one run of the engine."""

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Counters:
    """Counts and seconds of one run of the engine; `cpu` means CPU time of a thread.

    Args:
        images: Input rows.
        decoded: Rows that the feeds received, such as images with bytes.
        image_bytes: Total bytes of their values, such as encoded images.
        batches: Runs of the model.
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
    """

    images: int = 0
    decoded: int = 0
    image_bytes: int = 0
    batches: int = 0
    read_cpu_s: float = 0.0
    read_wait_s: float = 0.0
    decode_cpu_s: float = 0.0
    infer_cpu_s: float = 0.0
    infer_wall_s: float = 0.0
    result_cpu_s: float = 0.0
    thread_wait_s: float = 0.0

    def as_dict(self) -> dict[str, float]:
        """Return the values by name; seconds are rounded to 0.1 ms."""
        return {field.name: round(getattr(self, field.name), 4) for field in fields(self)}
