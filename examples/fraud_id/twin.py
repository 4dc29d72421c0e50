"""Sequential counterpart of the Spark program: one image at a time in one process, no Spark."""

from __future__ import annotations

import contextlib
import csv
import io
import time
from pathlib import Path
from typing import Any

import click
import pyarrow.parquet
from cards.dataset import CLASSES
from sightline.cli.predict import predict
from sklearn.metrics import confusion_matrix

_EPILOG = """\b
Example:
  python examples/fraud_id/generate.py --output build/cards --people 40
  python examples/fraud_id/twin.py --dataset build/cards --output build/twin
"""


def run_query(dataset: Path, backend: str, output: Path, options: list[str]) -> float:
    """Run `sightline predict --sequential` in this process and return its wall time in seconds.

    The first run of a backend imports it and loads the model. Later runs reuse both.

    Args:
        dataset: Folder with image_data.csv.
        backend: "pytorch" or "onnx".
        output: Folder for the predictions. An existing one is replaced.
        options: Other options of the command.
    """
    arguments = ["--images", str(dataset / "image_data.csv"), "--backend", backend, "--sequential"]
    arguments += ["--output", str(output), "--overwrite", *options]
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):  # hides the summary of the command
        predict.main(arguments, standalone_mode=False)
    return time.perf_counter() - started


def count_matrix(predictions: Path) -> list[list[int]]:
    """Return the confusion matrix: rows are actual classes, columns are predicted classes.

    Args:
        predictions: Output folder of `sightline predict`. Rows with an error are in no column.
    """
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(
        predictions / "part-00000.parquet", columns=["label_id", "prediction"]
    ).to_pylist()
    predicted = [row for row in rows if row["prediction"] is not None]
    actual_ids = [row["label_id"] for row in predicted]
    found_ids = [row["prediction"]["class_id"] for row in predicted]
    counts = confusion_matrix(actual_ids, found_ids, labels=range(len(CLASSES)))
    return [[int(count) for count in row] for row in counts]


def write_matrix(matrix: list[list[int]], path: Path) -> None:
    """Write the matrix as CSV: actual_class, then a column for each predicted class."""
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["actual_class", *CLASSES])
        table.writerows([name, *row] for name, row in zip(CLASSES, matrix, strict=True))


@click.command(epilog=_EPILOG)
@click.option(
    "--dataset",
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder that generate.py has written.",
)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="Output folder for output_predictions/ and the confusion matrices.",
)
@click.option("--model", default="id_fraud", show_default=True, help="Name or path of a bundle.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1))
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda.")
def twin(dataset: Path, output: Path, model: str, threads: int, device: str) -> None:
    """Predict a dataset twice with each backend, and time the same queries as the Spark program."""
    output.mkdir(parents=True, exist_ok=True)
    options = ["--model", model, "--threads", str(threads), "--device", device]
    for backend in ("pytorch", "onnx"):
        predictions = output / "output_predictions" / backend
        predictions.parent.mkdir(exist_ok=True)
        matrix: list[list[int]] = []
        for run in ("first run", "warm run"):
            details_seconds = run_query(dataset, backend, predictions, options)
            started = time.perf_counter()
            matrix = count_matrix(predictions)
            matrix_seconds = time.perf_counter() - started
            click.echo(f"Python sequential, {backend}, {run}")
            click.echo(f"Prediction Details Query Time: {details_seconds:.3f} seconds")
            click.echo(f"Confusion Matrix Query Time: {matrix_seconds:.3f} seconds")
        click.echo("Confusion matrix (rows: actual, columns: predicted)")
        click.echo(" " * 18 + "".join(f"{name:>18s}" for name in CLASSES))
        for name, row in zip(CLASSES, matrix, strict=True):
            click.echo(f"{name:18s}" + "".join(f"{count:18d}" for count in row))
        write_matrix(matrix, output / f"confusion_matrix_{backend}.csv")


if __name__ == "__main__":
    twin()
