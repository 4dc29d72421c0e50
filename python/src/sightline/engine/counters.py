"""Where the time of a run goes."""

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Counters:
    """Counts and seconds of one run of the engine; `cpu` is the time of one thread on a core.

    Args:
        images: Rows that came in.
        decoded: Images that a decoder was given: rows with bytes.
        image_bytes: The length of those in all.
        batches: Runs of the model.
        read_cpu_s: Of the thread that drains the source.
        read_wait_s: Wall time in which the engine had nothing to do but wait for its source.
        decode_cpu_s: Decoding and resizing, over all worker threads.
        infer_cpu_s: The model and the ranking of its scores, in the worker threads: all of it
            where an operator runs in one thread on the CPU.
        infer_wall_s: The same by the clock, summed over worker threads: more than the CPU time
            where a thread waits for a device or for a core.
        result_cpu_s: Building the columns that go out.
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
        """By name, seconds to a tenth of a millisecond."""
        return {field.name: round(getattr(self, field.name), 4) for field in fields(self)}
