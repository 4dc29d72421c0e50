"""The explained variance as SVG, whose colours are those of the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate

from sightline.report.markup import Html, element, join
from sightline.report.run_folder import Pca

_LEFT, _RIGHT, _TOP, _BOTTOM, _GAP = 46, 12, 20, 38, 26
_UPPER = 0.6  # of the height, for the sums
_BAR = 0.8  # of a component's width
_TARGETS = (0.95, 0.99)


def shown_components(pca: Pca) -> int:
    """Components that a drawing shows: those kept, and those up to 99% if they are known."""
    return min(max(pca.k, pca.components_for.get("0.99", 0)), len(pca.spectrum))


def draw_svg(pca: Pca, width: int, height: int) -> Html:
    """The sums above, with lines at 95% and 99%, and each component's share below.

    Args:
        pca: What is drawn.
        width: In pixels, at which its text is 12 pixels high.
        height: In pixels.
    """
    drawing = _Drawing(pca, width, height)
    drawing.add_scales()
    drawing.add_bars()
    drawing.add_targets()
    drawing.add_sum()
    size = {"viewBox": f"0 0 {width} {height}", "width": width, "height": height}
    return element("svg", join(*drawing.parts), aria_hidden="true", **size)


@dataclass
class _Drawing:
    pca: Pca
    width: int
    height: int
    parts: list[Html] = field(default_factory=list)

    def __post_init__(self) -> None:
        shown = shown_components(self.pca)
        self.shares = (self.pca.spectrum if shown > self.pca.k else self.pca.explained_variance)[
            :shown
        ]
        self.right = self.width - _RIGHT
        self.floor = self.height - _BOTTOM
        self.step = (self.right - _LEFT) / shown
        panels = self.floor - _TOP - _GAP
        self.upper = round(panels * _UPPER)
        self.lower = panels - self.upper
        self.highest = _ceiling(max(self.shares))

    def add_scales(self) -> None:
        for share in (0, 0.25, 0.5, 0.75, 1):
            self._scale(self._sum_y(share), f"{share:.0%}")
        for share in (0, self.highest / 2, self.highest):
            self._scale(self.floor - self.lower * share / self.highest, f"{share * 100:.3g}%")
        for at in _ticks(len(self.shares)):
            self._text("axis middle", self._x(at), self.floor + 16, f"{at:,}")
        self._text("axis middle", (_LEFT + self.right) / 2, self.height - 4, "component")
        self._text("axis", _LEFT, _TOP + self.upper + _GAP - 8, "each")

    def add_bars(self) -> None:
        for at, share in enumerate(self.shares, 1):
            size = self.lower * share / self.highest
            self._add(
                "rect",
                "each" if at <= self.pca.k else "each beyond",
                x=self._x(at) - self.step * _BAR / 2,
                y=self.floor - size,
                width=max(self.step * _BAR, 0.4),
                height=size,
            )

    def add_targets(self) -> None:
        for share in _TARGETS:
            y = self._sum_y(share)
            self._line("target", _LEFT, y, self.right, y)
            # The lines lie close together: one name stands below, the other above.
            name_y = y + 14 if share == _TARGETS[0] else y - 5
            self._text("target-name end", self.right, name_y, f"{share:.0%}")
        if len(self.shares) > self.pca.k:
            x = _LEFT + self.pca.k * self.step
            self._line("kept", x, _TOP, x, self.floor)
            self._text("axis", x + 4, _TOP + self.upper - 6, f"{self.pca.k} kept")

    def add_sum(self) -> None:
        points = " ".join(
            f"{self._x(at):.2f},{self._sum_y(min(so_far, 1)):.2f}"
            for at, so_far in enumerate(accumulate(self.shares), 1)
        )
        self.parts.append(element("polyline", class_="sum", points=points))
        for share in _TARGETS:
            at = self.pca.components_for.get(f"{share:.2f}", 0)
            if 1 <= at <= len(self.shares):
                self._add("circle", "reached", cx=self._x(at), cy=self._sum_y(share), r=4)

    def _x(self, at: int) -> float:
        return _LEFT + (at - 0.5) * self.step

    def _sum_y(self, share: float) -> float:
        return _TOP + self.upper * (1 - share)

    def _scale(self, y: float, name: str) -> None:
        self._line("grid", _LEFT, y, self.right, y)
        self._text("axis end", _LEFT - 6, y + 4, name)

    def _line(self, kind: str, x1: float, y1: float, x2: float, y2: float) -> None:
        self._add("line", kind, x1=x1, y1=y1, x2=x2, y2=y2)

    def _text(self, kind: str, x: float, y: float, words: str) -> None:
        self.parts.append(element("text", words, class_=kind, x=f"{x:.1f}", y=f"{y:.1f}"))

    def _add(self, tag: str, kind: str, **places: float) -> None:
        at = {name: f"{value:.2f}" for name, value in places.items()}
        self.parts.append(element(tag, class_=kind, **at))


def _ceiling(share: float) -> float:
    """A round number that is not below."""
    digits = (1, 1.5, 2, 3, 4, 5, 6, 8)
    steps = (digit * 10.0**power for power in range(-6, 1) for digit in digits)
    return next((step for step in steps if step >= share), 1.0)


def _ticks(shown: int) -> list[int]:
    steps = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000)
    step = next((step for step in steps if shown / step <= 8), 10_000)
    return [1, *(at for at in range(step, shown + 1, step) if at > max(1, step // 3))]
