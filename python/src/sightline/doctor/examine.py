"""All checks of one interpreter and its machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sightline.doctor.finding import Finding, from_error
from sightline.errors import SightlineError

_FAILS = "The run would stop with this error."


@dataclass(frozen=True)
class Request:
    """What a run would use.

    Args:
        backend: Name of the backend.
        device: auto, cpu or cuda; ``cuda`` must be usable here.
        model: Name or path of a model; None: no model is checked.
        models: Folder that is searched first for the model.
        output: Folder for the result; None: none is checked.
        batch_rows: Rows in a batch; None: the number that was measured for the model.
        threads: Worker threads; None: one for each usable core.
        memory_bytes: The memory that the workers may use; None: the machine's.
        where: The machine's name in the findings.
    """

    backend: str = "onnx"
    device: str = "auto"
    model: str | None = None
    models: str | None = None
    output: str | None = None
    batch_rows: int | None = None
    threads: int | None = None
    memory_bytes: int | None = None
    where: str = "driver"


def examine(request: Request) -> list[Finding]:
    """Return the findings. Nothing is raised for a broken set-up, and nothing is left on disk."""
    # Imported here because an interpreter without numpy must be able to report that.
    from sightline.doctor import machine, packages, places

    findings = [*packages.check(request)]
    findings += [*machine.check(request), *places.check(request)]
    if not any(one.severity == "blocker" for one in packages.check(request)):
        from sightline.doctor import memory, providers

        findings += _or_error(lambda: providers.check(request))
        if request.model is not None:
            findings += _or_error(lambda: memory.check(request))
    return [_at(one, request.where) for one in findings]


def _or_error(check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """Return the findings of a check; the error that it raises is a blocker."""
    try:
        return list(check())
    except SightlineError as error:
        return [from_error(error, _FAILS)]


def _at(finding: Finding, where: str) -> Finding:
    from dataclasses import replace

    return replace(finding, where=where)
