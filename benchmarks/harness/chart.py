"""Draws the costs of a record as a picture."""

from __future__ import annotations

from pathlib import Path

from harness.costs import RegimeCosts
from harness.record import read_record
from harness.regime_section import charted

_COLOURS = {"raw": "#555555", "spark": "#1f77b4", "engine": "#1f77b4"}


def draw_chart(results: Path, picture: Path) -> None:
    """Draw bars of CPU-ms per image, one panel per regime.

    Args:
        results: The record.
        picture: File to write; its ending gives the format.

    Raises:
        WrongUseError: NO_RESULTS.
    """
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    record = read_record(results)
    regimes = [regime for regime in record.get("regimes", ()) if not regime["skipped"]]
    columns = max(len(regimes), 1)
    drawing, panels = plt.subplots(1, columns, figsize=(7 * columns, 7), squeeze=False)
    for panel, regime in zip(panels[0], regimes, strict=False):
        rows = charted(RegimeCosts(regime))[::-1]
        colours = [_COLOURS.get(name.partition("-")[0], "#c0c0c0") for name, _ in rows]
        bars = panel.barh([name for name, _ in rows], [value for _, value in rows], color=colours)
        panel.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
        panel.set_title(f"{regime['name']}: CPU-ms per image, warm", fontsize=10)
        panel.spines[["top", "right"]].set_visible(False)
    drawing.tight_layout()
    picture.parent.mkdir(parents=True, exist_ok=True)
    drawing.savefig(picture, dpi=120)
    plt.close(drawing)
