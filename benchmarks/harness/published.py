"""Published figures for the cost of everything but the model, in vCPU-ms of an image."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """What a vendor published about one system.

    Args:
        system: Name of the system.
        vcpu_ms: Smallest and largest vCPU-milliseconds of an image: vCPUs of all machines divided
            by images per second.
        rates: The images per second and the vCPUs that the figures follow from.
        source: Who published it.
    """

    system: str
    vcpu_ms: tuple[float, float]
    rates: str
    source: str


_JOB = "803,580 images, ResNet-18, 8 L4 GPUs"
PUBLISHED = (
    Published(
        "Daft",
        (10.5, 62.0),
        "3,055 with 32 vCPUs to 4,115 with 256",
        f"Daft's benchmark repository and Anyscale's reply, Daft 0.6.2; {_JOB}",
    ),
    Published(
        "Ray Data",
        (15.6, 35.0),
        "4,110 with 64 vCPUs to 7,226 with 256",
        f"Anyscale, Ray 2.50; {_JOB}",
    ),
    Published(
        "Spark on EMR", (108.0, 108.0), "297 with 32 vCPUs", f"Daft's benchmark repository; {_JOB}"
    ),
)
