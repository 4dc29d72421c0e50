"""The page's own files: its frame, its style, its script."""

from importlib import resources


def asset(name: str) -> str:
    """The text of one of them, from a folder or from the zip in the jar."""
    return resources.files(__name__).joinpath(name).read_text("utf-8")
