"""Where a person looks at what was logged."""

from __future__ import annotations


def ui_url(uri: str, experiment_id: str, run_id: str | None = None) -> str | None:
    """The page of an experiment, or of one run in it; None where no server shows pages."""
    if not uri.startswith(("http://", "https://")):
        return None
    page = f"{uri.rstrip('/')}/#/experiments/{experiment_id}"
    return page if run_id is None else f"{page}/runs/{run_id}"
