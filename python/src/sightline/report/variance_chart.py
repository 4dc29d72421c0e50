"""The explained variance of a PCA: its chart, and the numbers beside it."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from sightline.report.run_folder import Pca

_TARGETS = ((0.95, "--"), (0.99, ":"))
_PIXELS_PER_INCH = 96  # of CSS


@dataclass(frozen=True, slots=True)
class _Colours:
    """Colours of the chart, which are those of report.css."""

    ground: str
    ink: str
    line: str
    kept: str
    beyond: str
    target: str


_LIGHT = _Colours("#fbfbfa", "#5c6670", "#e2e4e7", "#1d5fa8", "#b9c6d6", "#b4472b")
_DARK = _Colours("#14171a", "#a3adb8", "#30363d", "#74aef0", "#44536a", "#ee8a6c")
# Width and height in CSS pixels, for a wide window and for a phone.
_WIDE, _NARROW = (960, 400), (340, 330)
# The first that matches is shown. The last one needs no condition.
_CHARTS = (
    ("(max-width: 40rem) and (prefers-color-scheme: dark)", _NARROW, _DARK),
    ("(max-width: 40rem)", _NARROW, _LIGHT),
    ("screen and (prefers-color-scheme: dark)", _WIDE, _DARK),
    ("", _WIDE, _LIGHT),
)


def variance_view(pca: Pca) -> dict[str, Any]:
    """Return what the template shows: a sentence, the charts, and the table."""
    needed = ((share, pca.components_for.get(share)) for share in ("0.90", "0.95", "0.99"))
    charts = [
        {"media": media, "png": base64.b64encode(_draw(pca, size, colours)).decode("ascii")}
        for media, size, colours in _CHARTS
    ]
    shares = pca.explained_variance
    return {
        "words": _words(pca),
        "needed": [(float(share), count) for share, count in needed if count is not None],
        "charts": charts,
        "rows": list(zip(shares, accumulate(shares), strict=True)),
    }


def draw_variance(pca: Pca) -> bytes:
    """Return the chart as a PNG: the cumulative share above, each component's share below.

    It shows the kept components and those up to 99 % of the variance, and marks 95 % and 99 %.
    """
    title = f"{pca.k} components explain {sum(pca.explained_variance):.1%} of the variance"
    return _draw(pca, _WIDE, _LIGHT, title)


def _draw(pca: Pca, size: tuple[int, int], colours: _Colours, title: str = "") -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    shown = min(max(pca.k, pca.components_for.get("0.99", 0)), len(pca.spectrum))
    shares = np.array(pca.spectrum[:shown] if shown > pca.k else pca.explained_variance)
    at = np.arange(1, len(shares) + 1)
    width, height = size
    inches = (width / _PIXELS_PER_INCH, height / _PIXELS_PER_INCH)
    figure = Figure(figsize=inches, layout="constrained", facecolor=colours.ground)
    FigureCanvasAgg(figure)
    whole, each = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    whole.plot(at, np.minimum(shares.cumsum(), 1), color=colours.kept, linewidth=2)
    whole.set_ylim(0, 1.02)
    whole.set_ylabel("cumulative", color=colours.ink)
    for share, style in _TARGETS:
        needed = pca.components_for.get(f"{share:.2f}")
        name = f"{share:.0%}" + (f": {needed:,} components" if needed else "")
        whole.axhline(share, color=colours.target, linestyle=style, linewidth=1.2, label=name)
    each.bar(at, shares, width=0.8, color=np.where(at <= pca.k, colours.kept, colours.beyond))
    each.set_ylabel("each", color=colours.ink)
    each.set_xlabel("component", color=colours.ink)
    each.xaxis.set_major_locator(MaxNLocator(integer=True))
    if shown > pca.k:
        for panel in (whole, each):
            panel.axvline(pca.k + 0.5, color=colours.ink, linewidth=1)
        place = (pca.k + 0.5, 0.03)
        whole.annotate(
            f"{pca.k} kept", place, (4, 0), textcoords="offset points", color=colours.ink
        )
    frame = {"facecolor": colours.ground, "edgecolor": "none", "framealpha": 1}
    whole.legend(loc="center right", labelcolor=colours.ink, **frame)
    whole.set_title(title, loc="left", fontsize=11, color=colours.ink)
    each.set_xlim(0, shown + 1)
    for panel in (whole, each):
        panel.set_facecolor(colours.ground)
        panel.yaxis.set_major_formatter(PercentFormatter(1.0))
        panel.grid(axis="y", color=colours.line)
        panel.set_axisbelow(True)
        panel.tick_params(colors=colours.ink)
        panel.spines[["top", "right"]].set_visible(False)
        panel.spines[["bottom", "left"]].set_color(colours.line)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=2 * _PIXELS_PER_INCH)  # for sharp text on any screen
    return buffer.getvalue()


def _words(pca: Pca) -> str:
    kept = sum(pca.explained_variance)
    if pca.k == 1:
        return f"The one component kept explains {kept:.1%} of the variance."
    first = f"the first alone {pca.explained_variance[0]:.1%}."
    return f"The {pca.k:,} components kept explain {kept:.1%} of the variance, {first}"
