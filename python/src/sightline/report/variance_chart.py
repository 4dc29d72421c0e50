"""The explained variance as a picture."""

from __future__ import annotations

import io

import numpy as np

from sightline.report.run_folder import Pca
from sightline.report.variance_drawing import shown_components


def draw_variance(pca: Pca) -> bytes:
    """A PNG of each component's share and of the sum so far, with lines at 95 % and 99 %."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    shown = shown_components(pca)
    shares = np.array(pca.spectrum[:shown] if shown > pca.k else pca.explained_variance)
    at = np.arange(1, len(shares) + 1)
    figure = Figure(figsize=(9, 5.4), layout="constrained")
    FigureCanvasAgg(figure)
    whole, each = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    whole.plot(at, np.minimum(shares.cumsum(), 1), color="#1d5fa8", linewidth=2)
    whole.set_ylim(0, 1.02)
    whole.set_ylabel("cumulative")
    for share, style in ((0.95, "--"), (0.99, ":")):
        needed = pca.components_for.get(f"{share:.2f}")
        name = f"{share:.0%}" + (f": {needed:,} components" if needed else "")
        whole.axhline(share, color="#b4472b", linestyle=style, linewidth=1.2, label=name)
    each.bar(at, shares, width=0.8, color=np.where(at <= pca.k, "#1d5fa8", "#b9c6d6"))
    each.set_ylabel("each")
    each.set_xlabel("component")
    each.xaxis.set_major_locator(MaxNLocator(integer=True))
    if shown > pca.k:
        for panel in (whole, each):
            panel.axvline(pca.k + 0.5, color="#555555", linewidth=1)
        whole.annotate(f"{pca.k} kept", (pca.k + 0.5, 0.03), (4, 0), textcoords="offset points")
    whole.legend(loc="lower right", frameon=False)
    each.set_xlim(0, shown + 1)
    for panel in (whole, each):
        panel.yaxis.set_major_formatter(PercentFormatter(1.0))
        panel.grid(axis="y", color="#e4e4e4")
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
    kept = sum(pca.explained_variance)
    whole.set_title(
        f"{pca.k} components explain {kept:.1%} of the variance", loc="left", fontsize=11
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    return buffer.getvalue()
