"""What an image's path says beside its label: its file's name, and its split."""

from __future__ import annotations

import os
from dataclasses import replace

import pyarrow as pa

from sightline.source.listing import PATH, Listing
from sightline.source.own_columns import own_names
from sightline.source.split import file_name, split_of, usual_split

FILENAME = "filename"
SPLIT = "split"


def with_file_columns(listing: Listing) -> Listing:
    """The listing with ``filename`` and ``split`` (``train``, ``test``, … or null) at its end.

    A table's own column ``split`` tells, by its usual names; of listed files the folders from the
    listed one on do. Its own ``filename`` is ``input_filename``.
    """
    table = listing.table
    paths = [path or "" for path in table.column(PATH).to_pylist()]
    splits: list[str | None]
    own_split = next((name for name in table.column_names if name.lower() == SPLIT), None)
    if own_split is not None:
        own = table.column(own_split).cast(pa.string()).to_pylist()
        splits = [usual_split(name) if name else None for name in own]
    elif listing.root is None:
        splits = [split_of(path) for path in paths]
    else:
        above = os.path.join(listing.root.parent, "")  # noqa: PTH118 - ends with the separator
        splits = [split_of(file.removeprefix(above)) for file in listing.files]
    table = table.select([name for name in table.column_names if name.lower() != SPLIT])
    table = table.rename_columns(own_names(table.column_names, frozenset([FILENAME])))
    table = table.append_column(FILENAME, pa.array(map(file_name, paths), pa.string()))
    table = table.append_column(SPLIT, pa.array(splits, pa.string()))
    return replace(listing, table=table)
