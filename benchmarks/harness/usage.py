"""The resources that a job used, and the cost of one more image."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Usage:
    """Resources of one job.

    Args:
        images: Number of images of the job.
        cpu_s: User and system seconds of all processes.
        wall_s: Seconds from the request to the answer.
        peak_mib: Peak memory of all processes together.
        cpu_by: `cpu_s` by kind of process: jvm, python, other.
        counters: The engine's own counters (``worker`` in run.json), if there are any.
    """

    images: int
    cpu_s: float
    wall_s: float
    peak_mib: float
    cpu_by: dict[str, float] = field(default_factory=dict)
    counters: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return all fields, seconds rounded to the resolution of the measurement."""
        rounded = {
            key: round(value, 4) if isinstance(value, float) else value
            for key, value in asdict(self).items()
        }
        return rounded | {"cpu_by": {kind: round(s, 3) for kind, s in self.cpu_by.items()}}

    def to_step(self) -> dict[str, float]:
        """Return ``wall_s`` and ``cpu_s``, rounded for a table by size."""
        return {"wall_s": round(self.wall_s, 2), "cpu_s": round(self.cpu_s, 2)}


def marginal(small: Usage, large: Usage) -> dict[str, Any]:
    """Return the cost of one more image, from two jobs of different size.

    The difference of the jobs is divided by the difference of their images. Start-up, planning and
    other costs that do not grow with the images cancel out.

    Returns:
        ``cpu_ms`` and ``wall_ms`` per image, and ``cpu_ms_by`` by kind of process.

    Raises:
        ValueError: If the large job does not have more images.
    """
    more = large.images - small.images
    if more <= 0:
        message = f"{large.images} images are not more than {small.images}."
        raise ValueError(message)
    kinds = sorted(set(small.cpu_by) | set(large.cpu_by))
    return {
        "cpu_ms": round(1000 * (large.cpu_s - small.cpu_s) / more, 4),
        "wall_ms": round(1000 * (large.wall_s - small.wall_s) / more, 4),
        "cpu_ms_by": {
            kind: round(1000 * (large.cpu_by.get(kind, 0) - small.cpu_by.get(kind, 0)) / more, 4)
            for kind in kinds
        },
    }
