"""The names under which a table's own columns stand in a result; Scala's OwnColumns is its twin."""

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
"""What ``predict``, ``features``, ``pca`` and ``pack-images`` call columns of their own."""


def own_names(own: Sequence[str], reserved: frozenset[str] = RESERVED) -> list[str]:
    """Their names in the result: ``input_NAME`` for a reserved one.

    Args:
        own: Names of a table's columns. ``Label`` is taken for ``label``, as Spark does.
        reserved: In lower case.

    Returns:
        A name for each, in their order, with as many ``input_`` as make it unique.
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
