"""What an image's path says beside its label: its file's name, and its split."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from sightline.source.listing import PATH, Listing
from sightline.source.split import file_name, split_of

FILENAME = "filename"
SPLIT = "split"


def with_file_columns(listing: Listing) -> Listing:
    """The listing with ``filename`` and ``split`` (``train``, ``test``, … or null) at its end.

    A table's own column ``split`` stays as it is; its own ``filename`` gives way.
    """
    table = listing.table
    if FILENAME in table.column_names:
        table = table.drop_columns([FILENAME])
    paths = [path or "" for path in table.column(PATH).to_pylist()]
    table = table.append_column(FILENAME, pa.array(map(file_name, paths), pa.string()))
    if SPLIT not in table.column_names:
        table = table.append_column(SPLIT, pa.array(map(split_of, paths), pa.string()))
    return replace(listing, table=table)
