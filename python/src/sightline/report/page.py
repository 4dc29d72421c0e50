"""Render the page of a run from its templates, which are in `templates/`."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any

from sightline.report.class_counts import count_classes
from sightline.report.explore import explore_data, explore_view, shorten
from sightline.report.run_folder import Run, mapping, numbers
from sightline.report.sample import Sample
from sightline.report.summary import facts, key_figures, model_words, shown_commands
from sightline.report.thumbnails import Thumbnails
from sightline.report.variance_chart import variance_view
from sightline.version import __version__

if TYPE_CHECKING:
    from jinja2 import Environment

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
_MOST_ERROR_SAMPLES = 20


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the page: the name of its template and element, and its link's text."""

    id: str
    title: str


def render_page(run: Run, sample: Sample | None, thumbnails: Thumbnails | None) -> str:
    """Return one HTML file that loads nothing: its Content-Security-Policy forbids it.

    Args:
        run: The run.
        sample: The images to show as points; None shows none.
        thumbnails: Pictures of these images, in their order; None shows none.
    """
    from markupsafe import Markup

    parts = [_Part("summary", "Summary"), _Part("classes", "Classes")]
    if run.pca:
        parts += [_Part("variance", "Variance"), _Part("explore", "Images")]
    parts += [_Part("errors", "Errors"), _Part("times", "Time")]
    script = data = None
    if run.pca and sample:
        script = "(() => {\n'use strict';\n" + "\n".join(map(_asset, _SCRIPTS)) + "\n})();"
        data = explore_data(sample, run.pca.explained_variance, thumbnails)
    # Markup marks text as trusted. These are files of this package, and JSON without `<`.
    return render_template(
        "page.html",
        script,
        title=_title(run),
        model=model_words(run),
        figures=key_figures(run),
        parts=parts,
        facts=facts(run),
        commands=shown_commands(run),
        classes=count_classes(run),
        variance=variance_view(run.pca) if run.pca else None,
        explore=explore_view(sample, thumbnails, _images(run, sample)) if sample else None,
        errors=_errors(run),
        times=_times(run),
        script=None if script is None else Markup(script),  # noqa: S704
        data=None if data is None else Markup(_json(data)),  # noqa: S704
    )


def render_template(template: str, allowed: str | None = None, **values: Any) -> str:  # noqa: ANN401
    """Return an HTML file with the style of the reports and a policy that lets it load nothing.

    Args:
        template: File in `templates/`; it shows ``policy``, ``style`` and ``written``.
        allowed: Text of the one script that may run; None for none.
        values: Other values of the template.
    """
    from markupsafe import Markup

    style = _asset("report.css")
    return (
        _environment()
        .get_template(template)
        .render(
            policy=_policy(style, allowed),
            style=Markup(style),  # noqa: S704
            written=f"Sightline {__version__}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            **values,
        )
    )


def _environment() -> Environment:
    # Imported here because only the page needs the extra `report`.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # PackageLoader also reads from the zip that the jar contains.
    environment = Environment(
        loader=PackageLoader("sightline.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"shorten": shorten, "percent": _percent, "integer": _integer}
    return environment


def _percent(share: float, digits: int) -> str:
    return f"{share:.{digits}%}"


def _integer(number: float) -> str:
    return f"{number:,.0f}"


def _asset(name: str) -> str:
    """Text of a style sheet or script of the page, from a folder or from a zip."""
    return resources.files("sightline.report").joinpath("assets", name).read_text("utf-8")


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


def _json(data: dict[str, Any]) -> str:
    # Without `<`, nothing in the data can end the script element or begin a comment.
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _title(run: Run) -> str:
    name = mapping(run.inference, "model").get("name")
    of_model = f": {name}" if isinstance(name, str) else ""
    what = {"pca": "PCA of image features", "features": "Image features", "predict": "Predictions"}
    return what.get(run.command, run.command[:80]) + of_model[:100]


def _images(run: Run, sample: Sample) -> int:
    """Number of images of the run, of which the page shows some."""
    return int(numbers(run.record, "sample").get("of", sample.available))


def _errors(run: Run) -> dict[str, Any]:
    counts = numbers(mapping(run.record, "counts"), "errors")
    listed = run.record.get("error_samples")
    samples = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    names = ("path", "code", "stage", "message")
    return {
        "counts": dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        "counted": "errors" in mapping(run.record, "counts"),
        "samples": [
            {name: row.get(name, "") for name in names} for row in samples[:_MOST_ERROR_SAMPLES]
        ],
    }


def _times(run: Run) -> list[dict[str, Any]]:
    """Seconds of each stage, of this run and of the run whose features it used."""
    inference = [] if run.inference is run.record else [("features", run.inference)]
    return [
        {"stage": stage.replace("_", " "), "command": command, "seconds": seconds}
        for command, record in [*inference, (run.command, run.record)]
        for stage, seconds in numbers(record, "seconds").items()
        if seconds >= 0
    ]
