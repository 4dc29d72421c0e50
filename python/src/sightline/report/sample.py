"""Read the sample of images that the page of a PCA shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sightline.errors import WrongUseError

# Limits the size of the page: 4 bytes for each number, and a third more as base64.
_MOST_NUMBERS = 2_000_000
_SEED = 20


@dataclass(frozen=True, slots=True)
class Sample:
    """Images with their labels and components, sorted by label and path.

    Args:
        paths: (n,) paths as in the run.
        labels: (n,) true labels, None if unknown.
        splits: (n,) splits, None if unknown.
        components: (n, k) float32, finite.
        available: Number of rows in the run's folder, at least n.
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

    If the run has more rows, a random sample is drawn with a fixed seed.

    Args:
        run: Output folder of a PCA.
        k: Number of components of each row.
        points: Number of rows at most, at least 1.

    Returns:
        The sample; None if the run has none.

    Raises:
        WrongUseError: DAMAGED_RUN if the Parquet cannot be read, or has other columns than a PCA
            writes.
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

    # Read file by file, so that a parent folder such as split=train does not become a column.
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
