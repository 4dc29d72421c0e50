"""The counts and times of one run."""

from dataclasses import dataclass, field

from sightline.backends.device import Device
from sightline.bundle.bundle import Bundle
from sightline.engine.counters import Counters
from sightline.standalone.true_labels import TrueLabels


@dataclass(slots=True)
class Tally:
    """What became of the images of a run.

    Args:
        bundle: The model that ran.
        device: Where it ran.
        started: Seconds since 1970.
        images: Rows in; predicted + the sum of errors.
        predicted: Rows with a prediction.
        errors: Rows by error code.
        labels: How the true labels fit the model's.
        splits: Rows by split, where splits are told; ``none`` for those that have none.
        left_out: Files of a listed folder that were not taken, by their endings.
        images_root: What a table's relative paths start from; None where there is no table.
        seconds: By stage: list, load, infer (reading and decoding included), write.
        counters: Of the engine.
    """

    bundle: Bundle
    device: Device
    started: float
    images: int = 0
    predicted: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    labels: TrueLabels = field(default_factory=TrueLabels)
    splits: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    images_root: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    counters: Counters = field(default_factory=Counters)
