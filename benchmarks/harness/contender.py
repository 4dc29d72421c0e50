"""A row of the benchmark: a program, and how it is asked to classify some images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.inputs import Inputs


@dataclass(frozen=True)
class Job:
    """Some images, and where their predictions go.

    Args:
        inputs: The images.
        output: A folder that is not there yet.
        model: The bundle's folder.
        notes: A folder for files that the question needs, such as SQL.
    """

    inputs: Inputs
    output: Path
    model: Path
    notes: Path


@dataclass(frozen=True)
class Contender:
    """One row.

    Args:
        name: For the command line: ``spark-parquet``.
        title: For people.
        family: ``raw``, ``loop``, ``sightline`` or ``peer``.
        program: Name of the program that runs it; contenders of one program share its process.
        line: What the program is told.
        labels: ``exact``: must give the raw parts' labels and scores, by the same decoder and
            precision; ``alike``: how many labels agree is told; ``none``: it gives no labels.
        documented: ``tuned``, or ``documented``: as its documentation writes it.
        share: Of the regime's images in a job; slow or secondary ones get fewer.
        cold: Whether it is started anew for each round of the cold measurement.
        regimes: Where it takes part.
        decoder: Of JPEGs.
        precision: Of the network.
    """

    name: str
    title: str
    family: Literal["raw", "loop", "sightline", "peer"]
    program: str
    line: Callable[[Job], str]
    labels: Literal["exact", "alike", "none"] = "exact"
    documented: Literal["tuned", "documented"] = "tuned"
    share: float = 1.0
    cold: Literal["cold", "warm only"] = "warm only"
    regimes: tuple[str, ...] = ("heavy", "light")
    decoder: str = "pillow"
    precision: str = "fp32"
