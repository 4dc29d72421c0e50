"""The page of a training run: its curves, the evaluation, and the settings."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from sightline.report.page import render_template
from sightline.report.training_chart import draw_training

_MOST_CONFUSED = 20


def render_training_page(
    name: str,
    facts: Mapping[str, str],
    history: Sequence[Mapping[str, Any]],
    part: str | None,
    measures: Mapping[str, Any] | None,
    settings: Mapping[str, Any],
) -> str:
    """Return one HTML file that loads nothing.

    Args:
        name: Name of the model.
        facts: Names and values for the head of the page.
        history: `EpochRecord.as_dict` of each epoch, at least one.
        part: The part that was evaluated; None for none.
        measures: `Metrics.as_dict` of one backend; None without a held-out part.
        settings: Settings of the run.
    """
    chart = base64.b64encode(draw_training(history)).decode("ascii")
    return render_template(
        "training.html",
        title=f"Training: {name}"[:120],
        facts=facts,
        chart=chart,
        history=history,
        part=part,
        measures=measures,
        confused=_confused(measures) if measures else [],
        settings={key: value for key, value in settings.items() if value is not None},
    )


def _confused(measures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the pairs of classes that are confused most often."""
    labels = [one["label"] for one in measures["classes"]]
    pairs = [
        {"true": labels[row], "predicted": labels[column], "samples": count}
        for row, counts in enumerate(measures["confusion"])
        for column, count in enumerate(counts)
        if count and row != column
    ]
    pairs.sort(key=lambda pair: -pair["samples"])
    return pairs[:_MOST_CONFUSED]
