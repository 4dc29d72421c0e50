"""docs/growth.md, written from a record and from nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.pca_section import pca_section
from harness.scaling_section import scaling_section
from sightline.errors import WrongUseError

Record = dict[str, Any]


def scaling_page(record: Record) -> str:
    """The page, as Markdown.

    Raises:
        WrongUseError: NO_RESULTS if the record has neither entry.
    """
    sections = [
        section(record[entry])
        for entry, section in (("scaling", scaling_section), ("pca", pca_section))
        if entry in record
    ]
    if not sections:
        message = "the record holds neither `bench scaling` nor `bench pca`. Run one of them."
        raise WrongUseError("NO_RESULTS", message)
    opening = Path(__file__).with_name("scaling_opening.md").read_text("utf-8").rstrip()
    return "\n\n".join([opening, *sections]) + "\n"
