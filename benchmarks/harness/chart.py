"""A picture of a record."""

from __future__ import annotations

import json
from pathlib import Path

from harness.regime_section import charted

_COLOURS = {"raw": "#555555", "spark": "#1f77b4", "engine": "#1f77b4"}


def draw_chart(results: Path, picture: Path) -> None:
    """Bars of CPU-ms an image, a panel for each regime; the picture's ending says its format."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    record = json.loads(results.read_text("utf-8"))
    regimes = [regime for regime in record["regimes"] if not regime["skipped"]]
    figure, panels = plt.subplots(
        1, max(len(regimes), 1), figsize=(7 * max(len(regimes), 1), 7), squeeze=False
    )
    for panel, regime in zip(panels[0], regimes, strict=False):
        rows = charted(regime)[::-1]
        colours = [_COLOURS.get(name.partition("-")[0], "#c0c0c0") for name, _ in rows]
        bars = panel.barh([name for name, _ in rows], [value for _, value in rows], color=colours)
        panel.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
        panel.set_title(f"{regime['name']}: CPU-ms an image, warm", fontsize=10)
        panel.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=120)
    plt.close(figure)
