"""The columns `filename` and `split`, which come from an image's path."""

from __future__ import annotations

import os
from dataclasses import replace

import pyarrow as pa

from sightline.source.listing import PATH, Listing
from sightline.source.own_columns import own_names

FILENAME = "filename"
SPLIT = "split"
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
    """Return ``train``, ``test`` or ``validation`` by the folders of a path, or None.

    Args:
        path: The folder nearest to the file counts, in any case: ``train`` for
            ``test/fruits/Training/Apple/1.jpg``.
    """
    folders = path.split("/")[:-1]
    known = (_SPLITS.get(folder.lower()) for folder in reversed(folders))
    return next((split for split in known if split is not None), None)


def with_file_columns(listing: Listing) -> Listing:
    """Return the listing with the columns ``filename`` and ``split`` appended.

    The split of a table with a column ``split`` is that column, with usual names: ``Training``
    becomes ``train``. Otherwise it comes from the folders of the path; for a listed folder, from
    that folder and those below it. It is null if unknown. A table's own column ``filename``
    becomes ``input_filename``.
    """
    table = listing.table
    paths = [path or "" for path in table.column(PATH).to_pylist()]
    splits: list[str | None]
    own_split = next((name for name in table.column_names if name.lower() == SPLIT), None)
    if own_split is not None:
        own = table.column(own_split).cast(pa.string()).to_pylist()
        splits = [_SPLITS.get(name.lower(), name) if name else None for name in own]
    elif listing.root is None:
        splits = [split_of(path) for path in paths]
    else:
        above = os.path.join(listing.root.parent, "")  # noqa: PTH118 - ends with the separator
        splits = [split_of(file.removeprefix(above)) for file in listing.files]
    table = table.select([name for name in table.column_names if name.lower() != SPLIT])
    table = table.rename_columns(own_names(table.column_names, frozenset([FILENAME])))
    names = (path.rpartition("/")[2] for path in paths)
    table = table.append_column(FILENAME, pa.array(names, pa.string()))
    table = table.append_column(SPLIT, pa.array(splits, pa.string()))
    return replace(listing, table=table)
