"""The part of the page about the explained variance."""

from __future__ import annotations

from itertools import accumulate

from sightline.report.markup import Html, element, scrolling, section, table
from sightline.report.run_folder import Pca
from sightline.report.variance_drawing import draw_svg

# Width and height: for a wide window, and for a telephone's, so that text is never scaled down.
_SIZES = {"wide": (960, 380), "narrow": (340, 320)}


def variance_section(pca: Pca) -> Html:
    """Each component's share and the sum so far, drawn, in words and as a table."""
    words = _words(pca)
    drawings = [element("div", draw_svg(pca, *size), class_=name) for name, size in _SIZES.items()]
    rows: list[list[object]] = [
        [f"PC{at}", f"{share:.2%}", f"{so_far:.2%}"]
        for at, (share, so_far) in enumerate(
            zip(pca.explained_variance, accumulate(pca.explained_variance), strict=True), 1
        )
    ]
    head: list[object] = ["Component", "Share", "Cumulative"]
    numbers = table("Explained variance", head, rows, "text", "number", "number")
    boxed = scrolling(numbers, "Explained variance")
    return section(
        "variance",
        "Explained variance",
        element("p", words),
        *_needed(pca),
        element("figure", *drawings, role="img", aria_label=words),
        element("details", element("summary", "As a table"), boxed),
    )


def _words(pca: Pca) -> str:
    kept = sum(pca.explained_variance)
    if pca.k == 1:
        return f"The one component kept explains {kept:.1%} of the variance."
    first = f"the first alone {pca.explained_variance[0]:.1%}."
    return f"The {pca.k:,} components kept explain {kept:.1%} of the variance, {first}"


def _needed(pca: Pca) -> list[Html]:
    needed = [
        element("li", element("strong", f"{count:,}"), f" for {float(share):.0%}")
        for share, count in pca.components_for.items()
        if share in ("0.90", "0.95", "0.99")
    ]
    if not needed:
        return []
    return [
        element("div", element("p", "Components needed:"), element("ul", *needed), class_="needed")
    ]
