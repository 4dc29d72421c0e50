"""Make a bundle of the best checkpoint, evaluate it, and write its model card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline.bundle.add import add_bundle
from sightline.bundle.add_request import AddRequest
from sightline.bundle.bundle import Bundle
from sightline.errors import WrongUseError
from sightline.train.checkpoint import Checkpoint, read_checkpoint
from sightline.train.checkpoint_writer import best_checkpoint
from sightline.train.evaluate_bundle import evaluate_bundle
from sightline.train.metrics import Metrics
from sightline.train.network import architecture_arguments, preprocessing_of
from sightline.train.sample_index import SampleIndex
from sightline.train.samples import Samples
from sightline.train.split_samples import TEST, VALIDATION
from sightline.train.storage import Storage
from sightline.train.train_settings import TrainSettings


@dataclass(frozen=True, slots=True, eq=False)
class TrainedModel:
    """The result of a training run.

    Args:
        bundle: The published bundle.
        checkpoint: The name of the checkpoint that it was made from.
        part: The part that it was evaluated on; None if both held-out parts are empty.
        metrics: On that part, for each backend; empty without a part.
    """

    bundle: Bundle
    checkpoint: str
    part: str | None
    metrics: Mapping[str, Metrics]


def make_model(
    name: str,
    models: Path,
    checkpoints: Storage,
    index: SampleIndex,
    samples: Samples | None,
    threads: int,
    existing: str = "refuse",
) -> TrainedModel:
    """Publish the best checkpoint as a bundle with an ONNX and a PyTorch variant.

    `add_bundle` compares both variants on the golden images. Then both are evaluated on the
    held-out samples.

    Args:
        name: Name of the model.
        models: The folder that gets the bundle's folder.
        checkpoints: The folder of the checkpoints.
        index: The samples of the run.
        samples: The held-out samples: of ``test``, else of ``validation``; None for none.
        threads: Worker threads of the evaluation.
        existing: ``refuse`` or ``replace`` a bundle of the same name.

    Raises:
        WrongUseError: NO_CHECKPOINT.
        SightlineError: Errors of `add_bundle` and `evaluate_bundle`.
    """
    best = best_checkpoint(checkpoints)
    if not best:
        raise WrongUseError("NO_CHECKPOINT", f"{checkpoints.root} has no checkpoint of an epoch.")
    checkpoint = read_checkpoint(checkpoints, best)
    settings = TrainSettings.from_dict(checkpoint.state.settings)
    request = AddRequest(
        name=name,
        labels=index.labels,
        preprocessing=preprocessing_of(settings),
        architecture=settings.architecture,
        arguments=architecture_arguments(settings, len(index.labels)),
        activation="softmax",
        description=_description(settings, index, checkpoint),
        licence="not stated; the images and the start weights may set terms",
        source=f"trained on {index.rows('train')} samples of {index.images}",
    )
    bundle = add_bundle(request, models, existing, checkpoint.model)
    part = held_out_part(index)
    metrics = {}
    if samples is not None and part is not None:
        metrics = {
            backend: evaluate_bundle(bundle, samples, threads, backend)
            for backend in ("onnx", "pytorch")
        }
    return TrainedModel(bundle, best, part, metrics)


def held_out_part(index: SampleIndex) -> str | None:
    """Return ``test``, or ``validation`` if there are no test samples; None without both."""
    return next((part for part in (TEST, VALIDATION) if index.rows(part)), None)


def card(model: TrainedModel, settings: TrainSettings, index: SampleIndex) -> str:
    """Return the model card in Markdown: data, settings, measures and hash."""
    counts = ", ".join(f"{part} {sum(counts)}" for part, counts in index.counts.items())
    lines = [
        f"# {model.bundle.name}",
        "",
        f"A classifier of {len(index.labels)} classes: {settings.architecture}, trained from the "
        f"weights {settings.weights}, frozen layers: {settings.freeze}.",
        "",
        f"- Bundle: sha256 `{model.bundle.sha256}`, from checkpoint `{model.checkpoint}`",
        f"- Images: {index.images}; samples {counts}; left out {dict(index.left_out) or 'none'}",
        f"- Samples: sha256 `{index.sha256}`",
        "",
    ]
    if model.part is not None:
        lines += [
            f"## Measures on the part {model.part}",
            "",
            "| backend | samples | top-1 | top-5 | calibration error |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| {backend} | {one.samples} | {100 * one.top1:.1f} % | {100 * one.top5:.1f} % | "
            f"{one.calibration_error:.3f} |"
            for backend, one in model.metrics.items()
        ]
        lines += ["", "| class | samples | precision | recall | F1 |", "|---|---|---|---|---|"]
        lines += [
            f"| {one.label} | {one.samples} | {_share(one.precision)} | {_share(one.recall)} | "
            f"{_share(one.f1)} |"
            for one in next(iter(model.metrics.values())).classes
        ]
        lines.append("")
    lines += ["## Settings", "", "```json", json.dumps(settings.as_dict(), indent=1), "```", ""]
    return "\n".join(lines)


def _description(settings: TrainSettings, index: SampleIndex, checkpoint: Checkpoint) -> str:
    last: Mapping[str, Any] = checkpoint.state.history[-1]
    top1 = last["validation_top1"]
    measured = "" if top1 is None else f", validation top-1 {100 * top1:.1f} %"
    return (
        f"{settings.architecture} with a new head for {len(index.labels)} classes, "
        f"{last['epoch']} epochs{measured}"
    )


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"
