"""The curves of a training run: its loss and its accuracy by epoch."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

_INCHES = (9.6, 3.4)
_PIXELS_PER_INCH = 160
_INK, _LINE, _GROUND = "#5c6670", "#e2e4e7", "#fbfbfa"
_TRAIN, _VALIDATION = "#1d5fa8", "#d98324"


def draw_training(history: Sequence[Mapping[str, Any]]) -> bytes:
    """Return a PNG with the losses on the left and the accuracy of the validation on the right.

    Args:
        history: `EpochRecord.as_dict` of each epoch, at least one.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    epochs = [one["epoch"] for one in history]
    figure = Figure(figsize=_INCHES, layout="constrained", facecolor=_GROUND)
    FigureCanvasAgg(figure)
    losses, accuracy = figure.subplots(1, 2)
    losses.plot(epochs, [one["loss"] for one in history], "o-", color=_TRAIN, label="training")
    validated = [one for one in history if one["validation_loss"] is not None]
    at = [one["epoch"] for one in validated]
    if validated:
        values = [one["validation_loss"] for one in validated]
        losses.plot(at, values, "o-", color=_VALIDATION, label="validation")
        for key, style, label in (("top1", "o-", "top-1"), ("top5", "o:", "top-5")):
            shares = [one[f"validation_{key}"] for one in validated]
            accuracy.plot(at, shares, style, color=_VALIDATION, label=label)
        accuracy.legend(loc="lower right", frameon=False, labelcolor=_INK)
    losses.set_ylim(bottom=0)
    accuracy.set_ylim(0, 1.02)
    accuracy.yaxis.set_major_formatter(PercentFormatter(1.0))
    losses.legend(loc="upper right", frameon=False, labelcolor=_INK)
    for panel, title in ((losses, "loss"), (accuracy, "right samples of the validation part")):
        panel.set_title(title, loc="left", fontsize=11, color=_INK)
        panel.set_xlabel("epoch", color=_INK)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.set_facecolor(_GROUND)
        panel.grid(axis="y", color=_LINE)
        panel.set_axisbelow(True)
        panel.tick_params(colors=_INK)
        panel.spines[["top", "right"]].set_visible(False)
        panel.spines[["bottom", "left"]].set_color(_LINE)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_PIXELS_PER_INCH)
    return buffer.getvalue()
