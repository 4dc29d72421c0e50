"""The images of a PCA that its page shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sightline.errors import WrongUseError

# The components are the page's weight beside its thumbnails: 4 bytes each, a third more in text.
_MOST_NUMBERS = 2_000_000
_SEED = 20


@dataclass(frozen=True, slots=True)
class Sample:
    """Some images, their labels and components, in the order of label and path.

    Args:
        paths: (n,) as the run names them.
        labels: (n,) None where not known.
        splits: (n,) None where not known.
        components: (n, k) float32, finite.
        available: Rows that the run's folder has; at least n.
    """

    paths: list[str]
    labels: list[str | None]
    splits: list[str | None]
    components: npt.NDArray[np.float32]
    available: int

    def __len__(self) -> int:
        return len(self.paths)


def read_sample(run: Path, k: int, points: int) -> Sample | None:
    """Read at most `points` rows of a run's ``sample/``, and at most 2,000,000 / k.

    A smaller number is drawn evenly, the same ones each time.

    Args:
        run: Folder of a PCA.
        k: Components of each row.
        points: At least 1.

    Returns:
        The sample; None if the run has none.

    Raises:
        WrongUseError: DAMAGED_RUN if its Parquet cannot be read or is not what a PCA writes.
    """
    folder = run / "sample"
    files = sorted(folder.glob("*.parquet"))
    if not files:
        return None
    try:
        table = _read(files)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise _damaged(folder, f"it cannot be read ({error})") from error
    available = table.num_rows
    most = min(points, max(_MOST_NUMBERS // k, 1))
    if available > most:
        drawn = np.random.default_rng(_SEED).choice(available, most, replace=False)
        table = table.take(np.sort(drawn))
    table = table.sort_by([("label", "ascending"), ("path", "ascending")])
    return Sample(
        [str(path) for path in table.column("path").to_pylist()],
        table.column("label").to_pylist(),
        table.column("split").to_pylist(),
        _components(folder, table.column("components"), k),
        available,
    )


def _read(files: list[Path]) -> pa.Table:
    from pyarrow import parquet

    # As files of their own: the name of a folder above (split=train) makes no column.
    tables = [
        parquet.ParquetFile(file).read(["path", "label", "split", "components"]) for file in files
    ]
    table = pa.concat_tables(tables)
    for name in ("path", "label", "split"):
        table = table.set_column(
            table.schema.get_field_index(name), name, table.column(name).cast(pa.string())
        )
    if table.column("path").null_count:
        raise KeyError("a row without a path")
    return table


def _components(folder: Path, column: pa.ChunkedArray[Any], k: int) -> npt.NDArray[np.float32]:
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
        raise _damaged(folder, f"components are {column.type} and not lists of numbers")
    lengths = pc.unique(pc.list_value_length(column)).to_pylist()
    if any(length != k for length in lengths):
        raise _damaged(folder, f"rows have {lengths[:5]} components where run.json says {k}")
    flat = pc.list_flatten(column).to_numpy(zero_copy_only=False)
    values = np.asarray(flat, np.float32).reshape(-1, k)
    if not np.isfinite(values).all():
        raise _damaged(folder, "there are components that are not finite")
    return np.ascontiguousarray(values)


def _damaged(folder: Path, why: str) -> WrongUseError:
    return WrongUseError("DAMAGED_RUN", f"'{folder}': {why}. Run pca again.")
