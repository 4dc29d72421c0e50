"""Writes docs/growth.md from a record."""

from __future__ import annotations

from pathlib import Path

from harness.errors import WrongUseError
from harness.pca_section import pca_section
from harness.record import Record, read_record
from harness.scaling_section import scaling_section


def write_growth_page(results: Path, page: Path) -> None:
    """Write the page of a record.

    Raises:
        WrongUseError: NO_RESULTS if there is no record, one of another format, or one without
            entries of `scaling`, `pca` and `growth`.
    """
    record = read_record(results)
    sections = [
        section(record[entry])
        for entry, section in (
            ("scaling", scaling_section),
            ("pca", pca_section),
            ("growth", _series_section),
        )
        if entry in record
    ]
    if not sections:
        message = f"{results} has no results of `scaling`, `pca` and `growth`. Run one of them."
        raise WrongUseError("NO_RESULTS", message)
    opening = Path(__file__).with_name("growth_opening.md").read_text("utf-8").rstrip()
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n\n".join([opening, *sections]) + "\n", "utf-8")


def _series_section(growth: Record) -> str:
    """Return Markdown: time and memory by images, by partitions and by listed paths."""
    parts = ["## Time and memory by images, partitions and paths"]
    for series in growth["series"]:
        lines = [f"**{series['title']}**"]
        if series["steps"]:
            lines += [
                "",
                "| | wall s | CPU-s | driver JVM MiB | worker MiB |",
                "|---|---|---|---|---|",
            ]
        for step in series["steps"]:
            at = f"{step['at']:,}" + (f", {step['shape']}" if "shape" in step else "")
            if step.get("skipped"):
                lines.append(f"| {at} | skipped: {step['skipped']} | | | |")
                continue
            cells = (step["wall_s"], step["cpu_s"], step["jvm_mib"], step.get("worker_mib", ""))
            lines.append(f"| {at} | {' | '.join(map(str, cells))} |")
        if series.get("fit"):
            fitted = series["fit"]
            lines += ["", f"Fit of the wall time: {fitted['each']}, R² {fitted['r_squared']:.4f}."]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)
