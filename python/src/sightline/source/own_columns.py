"""Names of a table's own columns in a result. Scala's OwnColumns does the same."""

from __future__ import annotations

from collections.abc import Sequence

_PREFIX = "input_"
_PARTS = {
    "prediction": ("label", "class_id", "score", "top_k"),
    "error": ("code", "stage", "message"),
}

RESERVED = frozenset(
    ["path", "label", "label_id", "prediction", "features", "components"]
    + ["error", "content"]
    + [f"{name}_{part}" for name, parts in _PARTS.items() for part in parts]
    + ["__content", "__error"]
)
"""Names of the columns that ``predict``, ``features``, ``pca`` and ``pack-images`` write."""


def own_names(own: Sequence[str], reserved: frozenset[str] = RESERVED) -> list[str]:
    """Return the names of a table's columns in the result: ``input_NAME`` for a reserved name.

    Args:
        own: Names of the table's columns. Case is ignored, as in Spark.
        reserved: Names in lower case.

    Returns:
        A name for each column, in their order. ``input_`` is repeated until the name is unique.
    """
    taken = reserved | {name.lower() for name in own}
    names = []
    for name in own:
        renamed = name
        if name.lower() in reserved:
            while renamed.lower() in taken:
                renamed = _PREFIX + renamed
        names.append(renamed)
    return names
