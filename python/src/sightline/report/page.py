"""The whole page."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from string import Template
from typing import Any

from sightline.report.assets import asset
from sightline.report.class_counts import count_classes
from sightline.report.explore_section import explore_data, explore_section
from sightline.report.facts import key_figures, summary_section
from sightline.report.markup import Html, element, foreign, join
from sightline.report.run_folder import Run, mapping, numbers
from sightline.report.sample import Sample
from sightline.report.sections import class_section, error_section, time_section
from sightline.report.thumbnails import Thumbnails
from sightline.report.variance_section import variance_section
from sightline.version import __version__

_SCRIPTS = (
    "data.js",
    "colours.js",
    "thumbnails.js",
    "projection.js",
    "painter.js",
    "scatter.js",
    "legend.js",
    "neighbours.js",
    "card.js",
    "pointer.js",
    "keyboard.js",
    "report.js",
)
_NO_SAMPLE = "The run has no sample of its images, so there are no points to show."


def render_page(run: Run, sample: Sample | None, thumbnails: Thumbnails | None) -> str:
    """One HTML file that loads nothing: its Content-Security-Policy forbids it to.

    Args:
        run: What the page is about.
        sample: Its points; None shows none.
        thumbnails: Of those points, in their order; None shows none.
    """
    parts: list[tuple[str, str, Html]] = [("summary", "Summary", summary_section(run))]
    parts.append(("classes", "Classes", class_section(count_classes(run))))
    data: dict[str, Any] | None = None
    if run.pca:
        parts.append(("variance", "Variance", variance_section(run.pca)))
        if sample:
            parts.append(
                ("explore", "Images", explore_section(sample, thumbnails, _rows(run, sample)))
            )
            data = explore_data(sample, run.pca.explained_variance, thumbnails)
        else:
            parts.append(("explore", "Images", element("p", _NO_SAMPLE, class_="note")))
    parts.append(("errors", "Errors", error_section(run)))
    parts.append(("times", "Time", time_section(run)))
    style = asset("report.css")
    script = "(() => {\n'use strict';\n" + "\n".join(map(asset, _SCRIPTS)) + "\n})();"
    links = [element("a", name, href=f"#{place}") for place, name, _ in parts]
    return Template(asset("page.html")).substitute(
        policy=_policy(style, script if data else None),
        title=_title(run),
        style=style,
        figures=key_figures(run),
        heading=_title(run),
        model=_model(run),
        navigation=join(*links),
        sections=join(*(part for _, _, part in parts)),
        written=f"Sightline {__version__}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        data="" if data is None else _data_block(data),
        script="" if data is None else f"<script>{script}</script>",
    )


def _policy(style: str, script: str | None) -> str:
    allowed = f"'sha256-{_sha256(script)}'" if script else "'none'"
    rules = {
        "default-src": "'none'",
        "script-src": allowed,
        "style-src": f"'sha256-{_sha256(style)}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _data_block(data: dict[str, Any]) -> str:
    # No `<` is left, so nothing in it can end the block or begin a comment.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" id="data">{text}</script>'


def _rows(run: Run, sample: Sample) -> int:
    return int(numbers(run.record, "sample").get("of", sample.available))


def _title(run: Run) -> Html:
    name = mapping(run.inference, "model").get("name")
    of_model = f": {name}" if isinstance(name, str) else ""
    what = {"pca": "PCA of image features", "features": "Image features", "predict": "Predictions"}
    return join(what.get(run.command, run.command[:80]), of_model[:100])


def _model(run: Run) -> Html:
    model = mapping(run.inference, "model")
    words = [model.get(name) for name in ("name", "backend", "device")]
    started = run.record.get("started")
    known = [
        str(word) for word in [*words, started[:10] if isinstance(started, str) else None] if word
    ]
    return join(*(element("span", foreign(word)) for word in known))
