"""A PCA of a table of features without Spark, for comparison with `pca`.

Both read the table's Parquet files, scale by the training rows' mean and deviation, fit on them,
and write all rows' components as Parquet and as CSV, as `pca` does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from plain import Job, serve
from pyarrow import csv, dataset

Floats = npt.NDArray[np.float32]
_BATCH = 2000
_TEXTS = ["path", "filename", "label", "split"]


def numpy_streamed(job: Job) -> None:
    """Use numpy with 2,000 rows in memory; read the table twice: to fit, then to transform."""
    _, first = next(batches(job["features"], "train"))
    shift = first.mean(axis=0)  # near the mean, which avoids cancellation
    total, products = np.zeros(len(shift)), np.zeros((len(shift), len(shift)))
    count = 0
    for _, values in batches(job["features"], "train"):
        centred = values - shift
        count += len(centred)
        total += centred.sum(axis=0, dtype=np.float64)
        products += centred.T @ centred
    mean = total / count
    covariance = (products - count * np.outer(mean, mean)) / (count - 1)
    deviation = np.sqrt(np.diag(covariance))
    spectrum, vectors = np.linalg.eigh(covariance / np.outer(deviation, deviation))
    components = vectors[:, ::-1][:, : job["k"]] / deviation[:, None]
    with Writer(job) as writer:
        for table, values in batches(job["features"], None):
            centred = values - (shift + mean).astype(np.float32)
            writer.write(table, centred @ components.astype(np.float32))
    write_variance(job, (spectrum[::-1] / spectrum.sum())[: job["k"]])


def scikit_learn(job: Job) -> None:
    """Use scikit-learn with all rows in memory as float32."""
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    found = list(batches(job["features"], None))
    table = pa.concat_tables(texts for texts, _ in found)
    values = np.concatenate([part for _, part in found])
    del found
    train = np.asarray(table.column("split").to_pylist()) == "train"
    scaler = StandardScaler(copy=False).fit(values[train])
    values = scaler.transform(values)
    pca = PCA(job["k"], svd_solver="covariance_eigh").fit(values[train])
    with Writer(job) as writer:
        writer.write(table, pca.transform(values))
    write_variance(job, pca.explained_variance_ratio_)


def batches(folder: str, split: str | None) -> Iterator[tuple[pa.Table, Floats]]:
    """Yield the text columns and the vectors (n, features) of batches, in the table's order."""
    files = dataset.dataset(folder, format="parquet")
    chosen = None if split is None else dataset.field("split") == split
    columns = [*_TEXTS, "features"] if split is None else ["features"]
    # The defaults read one gigabyte ahead.
    for batch in files.to_batches(
        columns, filter=chosen, batch_size=_BATCH, batch_readahead=2, fragment_readahead=1
    ):
        if len(batch):
            table = pa.Table.from_batches([batch])
            flat: pa.ListArray[Any] = batch.column("features")  # type: ignore[assignment]
            values = flat.flatten().to_numpy().reshape(len(batch), -1)
            yield table.drop_columns(["features"]), np.array(values, np.float32)


class Writer:
    """Writes components as Parquet, and as one CSV per split."""

    def __init__(self, job: Job) -> None:
        self._folder, self._k = Path(job["output"]), job["k"]
        self._parquet: pq.ParquetWriter | None = None
        self._csv: dict[str, csv.CSVWriter] = {}
        self._folder.mkdir(parents=True)

    def write(self, texts: pa.Table, components: Floats) -> None:
        """Append n rows: their text columns and components (n, k)."""
        values = np.asarray(components, np.float32)
        flat = pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), self._k)
        vectors = flat.cast(pa.list_(pa.float32()))
        table = texts.append_column("components", vectors)
        if self._parquet is None:
            self._parquet = pq.ParquetWriter(self._folder / "components.parquet", table.schema)
        self._parquet.write_table(table)
        columns = {f"f_{at}": values[:, at] for at in range(self._k)}
        splits = [str(split) for split in texts.column("split").to_pylist()]
        wide = pa.table({name: texts.column(name) for name in _TEXTS[:3]} | columns)
        for split in sorted(set(splits)):
            rows = wide.filter(pa.array([one == split for one in splits]))
            if split not in self._csv:
                self._csv[split] = csv.CSVWriter(self._folder / f"{split}.csv", rows.schema)
            self._csv[split].write_table(rows)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        for writer in (self._parquet, *self._csv.values()):
            if writer is not None:
                writer.close()


def write_variance(job: Job, shares: npt.NDArray[np.floating]) -> None:
    """Write the explained variance ratios for the harness."""
    text = json.dumps({"explained_variance": [float(share) for share in shares]})
    (Path(job["output"]) / "run.json").write_text(text, "utf-8")


if __name__ == "__main__":
    serve({"numpy": numpy_streamed, "scikit-learn": scikit_learn})
