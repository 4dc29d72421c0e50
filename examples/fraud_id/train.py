"""Train the compact CNN that classifies identity cards as genuine or forged."""

from __future__ import annotations

import time
from pathlib import Path

import click
import numpy as np
import torch
from cards.dataset import CLASSES
from safetensors.torch import load_file, save_file
from sightline.backends.compact_cnn import CompactCnn
from sklearn.metrics import confusion_matrix
from training.fit import Material, Plan, fit, predict
from training.pixels import MODEL_RESIZE, read_pixels, read_signs

_PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_EPILOG = """\b
Example:
  cards=examples/fraud_id
  python $cards/generate.py --split train --people 2000 --seed 10 --output build/train
  python $cards/generate.py --split validation --people 200 --seed 11 --output build/validation
  python $cards/train.py --train build/train --validation build/validation \\
    --output build/w.safetensors
On Linux, MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=8589934592 in the environment
keep freed memory in the process, which can make training several times faster.
"""


@click.command(epilog=_EPILOG)
@click.option(
    "--train",
    "train_folder",
    required=True,
    type=click.Path(path_type=Path),
    help="Dataset for training.",
)
@click.option(
    "--validation",
    required=True,
    type=click.Path(path_type=Path),
    help="Dataset with other people, for the accuracy after each epoch.",
)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="Output file, .safetensors.",
)
@click.option(
    "--start",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Start weights, written by this program. [default: random weights]",
)
@click.option("--epochs", default=12, show_default=True, type=click.IntRange(1))
@click.option(
    "--learning-rate",
    default=4e-3,
    show_default=True,
    type=click.FloatRange(0, 1, min_open=True),
    help="Highest learning rate of the cycle.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option("--threads", default=2, show_default=True, type=click.IntRange(1))
@click.option(
    "--precision",
    default="float32",
    show_default=True,
    type=click.Choice(list(_PRECISIONS)),
    help="bfloat16 is faster on CPUs with AVX512-BF16 or AMX.",
)
def train(
    train_folder: Path,
    validation: Path,
    output: Path,
    start: Path | None,
    epochs: int,
    learning_rate: float,
    seed: int,
    threads: int,
    precision: str,
) -> None:
    """Train on one dataset, print the accuracy on people of another, and save a state dict."""
    started = time.monotonic()
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    images, labels = read_pixels(train_folder, MODEL_RESIZE)
    unseen_images, unseen_labels = read_pixels(validation, MODEL_RESIZE)
    material = Material(images, labels, read_signs(train_folder, labels, len(CLASSES) - 1))
    model = CompactCnn(len(CLASSES), width=16).to(memory_format=torch.channels_last)
    if start is not None:
        model.load_state_dict(load_file(start))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    click.echo(
        f"{parameters} parameters; images: {len(images)} to train, {len(unseen_images)} to validate"
    )
    plan = Plan(epochs, learning_rate, seed, _PRECISIONS[precision])
    predicted = np.zeros_like(unseen_labels)
    for epoch, loss in enumerate(fit(model, material, plan), start=1):
        predicted = predict(model, unseen_images)
        accuracy = float((predicted == unseen_labels).mean())
        minutes = (time.monotonic() - started) / 60
        click.echo(
            f"epoch {epoch:2d}/{epochs}  loss {loss:.4f}  "
            f"validation accuracy {accuracy:.4f}  {minutes:.1f} min"
        )
    click.echo("Confusion matrix on the validation people (rows: actual, columns: predicted):")
    for name, row in zip(CLASSES, confusion_matrix(unseen_labels, predicted), strict=True):
        click.echo(f"  {name:18s}" + "".join(f"{count:7d}" for count in row))
    output.parent.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, output)
    click.echo(f"{output}: {output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    train()
