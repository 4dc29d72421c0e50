"""Check for leaks: the accuracy of a logistic regression on 14 x 14 raw pixels."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from sightline.bundle.image_settings import Resize
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from training.pixels import read_pixels

_TINY = Resize("stretch", 14, 14, "bilinear")
_EPILOG = """\b
Example:
  python examples/fraud_id/baseline.py --train build/train --test build/test
"""


def baseline_accuracies(train: Path, test: Path) -> dict[str, float]:
    """Return the accuracies in 0..1 on the test dataset for the pixels "grey" and "rgb".

    Args:
        train: Dataset for the fit, written by generate.py.
        test: Dataset with other people.
    """
    train_pixels, train_labels = read_pixels(train, _TINY)
    test_pixels, test_labels = read_pixels(test, _TINY)
    accuracies = {}
    for kind in ("grey", "rgb"):
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000))
        model.fit(_flatten(train_pixels, kind), train_labels)
        accuracies[kind] = float(model.score(_flatten(test_pixels, kind), test_labels))
    return accuracies


def _flatten(images: npt.NDArray[np.uint8], kind: str) -> npt.NDArray[np.float64]:
    """Convert (n, 14, 14, 3) uint8 to (n, 196) for grey or (n, 588) for rgb."""
    values = images.astype(np.float64)
    return (values.mean(3) if kind == "grey" else values).reshape(len(images), -1)


@click.command(epilog=_EPILOG)
@click.option(
    "--train", required=True, type=click.Path(path_type=Path), help="Dataset for the fit."
)
@click.option(
    "--test", required=True, type=click.Path(path_type=Path), help="Dataset with other people."
)
def baseline(train: Path, test: Path) -> None:
    """Print the accuracy of a logistic regression on 14 x 14 pixels; chance is 0.3333."""
    for kind, accuracy in baseline_accuracies(train, test).items():
        click.echo(f"logistic regression on 14 x 14 {kind} pixels: {accuracy:.4f}")


if __name__ == "__main__":
    baseline()
