"""What a check found, and the list of findings as text and as JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from sightline.errors import SightlineError

Severity = Literal["blocker", "warning", "ok"]
_ORDER: tuple[Severity, ...] = ("blocker", "warning", "ok")
_SENTENCE = re.compile(r"(?<=[.)\]])\s+(?=[A-Z])")


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Args:
        name: Like a condition: ``MISSING_PACKAGE``. An error that a run would raise has its name.
        severity: A blocker fails a run, a warning makes it slow or may fail it.
        where: The machine: ``driver``, or ``executor 1 on HOST``.
        found: What was found.
        why: Why it matters; empty if it is ok.
        fix: What to do; empty if it is ok.
    """

    name: str
    severity: Severity
    found: str
    why: str = ""
    fix: str = ""
    where: str = "driver"


def from_error(error: SightlineError, why: str) -> Finding:
    """Return the blocker for an error of a run: its first sentence is found, the rest the fix."""
    found, *fix = _SENTENCE.split(error.message, maxsplit=1)
    return Finding(error.code, "blocker", found, why, fix[0] if fix else error.message)


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings with the blockers first; those of one severity keep their order."""
    return sorted(findings, key=lambda one: _ORDER.index(one.severity))


def summary(findings: Sequence[Finding]) -> str:
    """Return one sentence with the counts and the finding to fix first."""
    counts = [
        f"{count} {kind}{'' if count == 1 else 's'}"
        for kind in ("blocker", "warning")
        if (count := sum(one.severity == kind for one in findings))
    ]
    if not counts:
        return f"{len(findings)} checks, no blocker and no warning."
    return f"{', '.join(counts)}: fix {in_order(findings)[0].name} first."


def as_text(findings: Sequence[Finding]) -> str:
    """Return the findings for people, the blockers first, and the summary as the last line."""
    lines = []
    for one in in_order(findings):
        lines.append(f"{one.severity:<8} {one.name} ({one.where}): {one.found}")
        if one.severity != "ok":
            lines += [f"{'':8}   why: {one.why}", f"{'':8}   fix: {one.fix}"]
    return "\n".join([*lines, summary(findings)])


def as_json(findings: Sequence[Finding]) -> dict[str, object]:
    """Return the same for programs."""
    return {
        "findings": [asdict(one) for one in in_order(findings)],
        "blockers": sum(one.severity == "blocker" for one in findings),
        "warnings": sum(one.severity == "warning" for one in findings),
        "summary": summary(findings),
    }
