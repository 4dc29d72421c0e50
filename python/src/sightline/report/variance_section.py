"""The explained variance as a drawing in the page."""

from __future__ import annotations

from itertools import accumulate

from sightline.report.markup import Html, element, join, section, table
from sightline.report.run_folder import Pca

# Width and height: of a wide window, and of a telephone's; text is never scaled down.
_SIZES = {"wide": (960, 380), "narrow": (340, 320)}
_LEFT, _RIGHT, _TOP, _BOTTOM, _GAP = 46, 12, 20, 38, 26
_LINES = (0.95, 0.99)


def shown_components(pca: Pca) -> int:
    """Components that a drawing shows: those kept, and those up to 99% if they are known."""
    needed = pca.components_for.get("0.99", 0)
    return min(max(pca.k, needed), len(pca.spectrum))


def variance_section(pca: Pca) -> Html:
    """Each component's share and the sum so far, with the lines of 95 % and 99 %."""
    kept = sum(pca.explained_variance)
    needed = [
        element("li", element("strong", f"{count:,}"), f" for {float(share):.0%}")
        for share, count in pca.components_for.items()
        if share in ("0.90", "0.95", "0.99")
    ]
    label = (
        f"The {pca.k:,} components kept explain {kept:.1%} of the variance, "
        f"the first alone {pca.explained_variance[0]:.1%}."
        if pca.k > 1
        else f"The one component kept explains {kept:.1%} of the variance."
    )
    drawings = [element("div", _draw(pca, *size), class_=name) for name, size in _SIZES.items()]
    rows: list[list[object]] = [
        [f"PC{at}", f"{share:.2%}", f"{so_far:.2%}"]
        for at, (share, so_far) in enumerate(
            zip(pca.explained_variance, accumulate(pca.explained_variance), strict=True), 1
        )
    ]
    head: list[object] = ["Component", "Share", "Cumulative"]
    numbers = table("Explained variance", head, rows, "text", "number", "number")
    words = [element("p", "Components needed:"), element("ul", *needed)] if needed else []
    return section(
        "variance",
        "Explained variance",
        element("p", label),
        element("div", *words, class_="needed") if words else "",
        element("figure", *drawings, role="img", aria_label=label),
        element("details", element("summary", "As a table"), numbers),
    )


def _draw(pca: Pca, width: int, height: int) -> Html:
    shown = shown_components(pca)
    shares = pca.spectrum[:shown] if shown > pca.k else pca.explained_variance
    inner = width - _LEFT - _RIGHT
    upper = round((height - _TOP - _BOTTOM - _GAP) * 0.6)
    lower = height - _TOP - _BOTTOM - _GAP - upper
    floor = height - _BOTTOM
    step = inner / shown
    parts: list[Html] = []

    def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> None:
        at = {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}"}
        parts.append(element("line", class_=kind, **at))

    def text(kind: str, x: float, y: float, words: str) -> None:
        parts.append(element("text", words, class_=kind, x=f"{x:.1f}", y=f"{y:.1f}"))

    for share in (0, 0.25, 0.5, 0.75, 1):
        y = _TOP + upper * (1 - share)
        line("grid", _LEFT, y, width - _RIGHT, y)
        text("axis end", _LEFT - 6, y + 4, f"{share:.0%}")
    highest = _ceiling(max(shares))
    for share in (0, highest / 2, highest):
        y = floor - lower * share / highest
        line("grid", _LEFT, y, width - _RIGHT, y)
        text("axis end", _LEFT - 6, y + 4, f"{share * 100:.3g}%")
    for at, share in enumerate(shares):
        size = lower * share / highest
        kind = "each" if at < pca.k else "each beyond"
        place = {"x": f"{_LEFT + at * step:.2f}", "width": f"{max(step * 0.8, 0.4):.2f}"}
        parts.append(
            element("rect", class_=kind, y=f"{floor - size:.2f}", height=f"{size:.2f}", **place)
        )
    for share in _LINES:
        y = _TOP + upper * (1 - share)
        line("target", _LEFT, y, width - _RIGHT, y)
        # The lines lie close together: one name stands below, the other above.
        text(
            "target-name end",
            width - _RIGHT,
            y + 14 if share == _LINES[0] else y - 5,
            f"{share:.0%}",
        )
    if shown > pca.k:
        x = _LEFT + pca.k * step
        line("kept", x, _TOP, x, floor)
        text("kept-name", x + 4, _TOP + upper - 6, f"{pca.k} kept")
    points = " ".join(
        f"{_LEFT + (at + 0.4) * step:.2f},{_TOP + upper * (1 - min(so_far, 1)):.2f}"
        for at, so_far in enumerate(accumulate(shares))
    )
    parts.append(element("polyline", class_="sum", points=points))
    for share in _LINES:
        at = pca.components_for.get(f"{share:.2f}", 0)
        if 1 <= at <= shown:
            place = {
                "cx": f"{_LEFT + (at - 0.6) * step:.2f}",
                "cy": f"{_TOP + upper * (1 - share):.2f}",
            }
            parts.append(element("circle", class_="reached", r="4", **place))
    for at in _ticks(shown):
        text("axis middle", _LEFT + (at - 0.6) * step, floor + 16, f"{at:,}")
    text("axis middle", _LEFT + inner / 2, height - 4, "component")
    text("panel", _LEFT, _TOP + upper + _GAP - 8, "each")
    return element(
        "svg",
        join(*parts),
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        aria_hidden="true",
    )


def _ceiling(share: float) -> float:
    """A round number that is not below."""
    steps = [digit * 10.0**power for power in range(-6, 1) for digit in (1, 1.5, 2, 3, 4, 5, 6, 8)]
    return next((step for step in steps if step >= share), 1.0)


def _ticks(shown: int) -> list[int]:
    step = next(
        (s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000) if shown / s <= 8), 10_000
    )
    return [1, *(at for at in range(step, shown + 1, step) if at > max(1, step // 3))]
