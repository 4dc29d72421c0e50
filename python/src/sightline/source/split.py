"""Which part of a labelled collection an image belongs to, by the folders that it lies in."""

from __future__ import annotations

_SPLITS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
}


def split_of(path: str) -> str | None:
    """``train``, ``test``, ``validation``, or None where no folder says so.

    Args:
        path: Of its folders, whatever their case, the one nearest to the file counts: in
            ``test/fruits/Training/Apple/1.jpg`` that is ``Training``.
    """
    folders = path.split("/")[:-1]
    known = (_SPLITS.get(folder.lower()) for folder in reversed(folders))
    return next((split for split in known if split is not None), None)


def usual_split(name: str) -> str:
    """The usual name of a split that somebody calls ``name``: ``Training`` is ``train``."""
    return _SPLITS.get(name.lower(), name)


def file_name(path: str) -> str:
    """What follows the last ``/``."""
    return path.rpartition("/")[2]
