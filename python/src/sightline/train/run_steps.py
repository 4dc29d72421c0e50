"""The steps of a run before and after the workers train: the driver's part of `train`."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from sightline.backends.architecture import find_maker
from sightline.errors import WrongUseError
from sightline.publish import publish_folder, require_replaceable
from sightline.report.training_page import render_training_page
from sightline.train.checkpoint import checkpoint_names
from sightline.train.checkpoint_writer import require_space
from sightline.train.make_model import TrainedModel, card, held_out_part, make_model
from sightline.train.network import (
    build_network,
    count_parameters,
    freeze,
    full_name,
    start_weights,
)
from sightline.train.sample_index import SampleIndex
from sightline.train.samples import Samples
from sightline.train.shard_cache import ShardCache
from sightline.train.storage import Storage, require_writable
from sightline.train.train_settings import TrainSettings
from sightline.train.train_worker import START_FILE

SETTINGS_FILE = "train.yaml"
HISTORY_FILE, EVALUATION_FILE, CARD_FILE = "history.json", "evaluation.json", "model_card.md"
PAGE_FILE = "report.html"
MODELS_FOLDER, SAMPLES_FOLDER, CHECKPOINTS_FOLDER = "models", "samples", "checkpoints"
TENSORBOARD_FOLDER = "tensorboard"
# What a run writes into its output beside its lock, so what --overwrite may delete.
RUN_NAMES = frozenset(
    [
        SETTINGS_FILE,
        HISTORY_FILE,
        EVALUATION_FILE,
        CARD_FILE,
        PAGE_FILE,
        START_FILE,
        "run.json",
        MODELS_FOLDER,
        SAMPLES_FOLDER,
        CHECKPOINTS_FOLDER,
        TENSORBOARD_FOLDER,
    ]
)


def check_run(
    settings: TrainSettings,
    name: str,
    output: Storage,
    checkpoints: Storage,
    curves: Storage | None,
    *,
    resumed: bool,
) -> tuple[TrainSettings, dict[str, torch.Tensor] | None]:
    """Check what can be checked before an image is read.

    Args:
        settings: The settings; the architecture may have no library: ``resnet50``.
        name: Name of the model.
        output: The run's folder.
        checkpoints: The folder of the checkpoints.
        curves: The folder of TensorBoard's files, if they are written.
        resumed: Whether the run has begun before, so that it has its start weights.

    Returns:
        The settings with the architecture's library, and the start weights, if any are needed.

    Raises:
        WrongUseError: BAD_MODEL_NAME, UNKNOWN_ARCHITECTURE, BAD_ARCHITECTURE, WEIGHTS_MISMATCH,
            OUTPUT_NOT_WRITABLE, DISK_FULL; errors of `start_weights`.
    """
    for folder in filter(None, (checkpoints, curves)):
        require_writable(folder)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise WrongUseError(
            "BAD_MODEL_NAME",
            f"'{name}' must be letters, digits, '_', '-' and '.'. Give --register NAME or --name "
            "NAME.",
        )
    settings = replace(settings, architecture=full_name(settings.architecture))
    find_maker(settings.architecture)
    tensors = None if resumed else start_weights(settings)
    network = build_network(settings, 2, tensors)
    freeze(network, settings, 2)
    is_inside = f"{checkpoints.root}/".startswith(f"{output.root}/")
    if not resumed and not is_inside and checkpoint_names(checkpoints):
        raise WrongUseError(
            "OUTPUT_EXISTS",
            f"{checkpoints.root} has checkpoints of another run, which this one would continue. "
            "Give another --checkpoints, remove them, or continue that run with --resume.",
        )
    require_space(checkpoints, count_parameters(network)[1], settings.keep)
    return settings, tensors


def write_start(output: Storage, tensors: Mapping[str, torch.Tensor] | None) -> None:
    """Write the start weights into the run's folder: not every worker can read the user's file."""
    if tensors is not None:
        output.write(START_FILE, safetensors.torch.save(dict(tensors)))


def finish_run(
    name: str,
    settings: TrainSettings,
    output: Storage,
    checkpoints: Storage,
    cache: ShardCache,
    threads: int,
    history: Sequence[Mapping[str, Any]],
) -> TrainedModel:
    """Make and evaluate the model, and write it, its card and the history into the output.

    Args:
        name: Name of the model.
        settings: The run's settings.
        output: The run's folder.
        checkpoints: The folder of the checkpoints.
        cache: Gives the held-out samples.
        threads: Worker threads of the evaluation.
        history: One record for each epoch.
    """
    index = SampleIndex.read(output / SAMPLES_FOLDER)
    part = held_out_part(index)
    samples = Samples(index, part, cache) if part else None
    with _models_folder(output) as models:
        model = make_model(name, models, checkpoints, index, samples, threads, "replace")
    write_json(output, HISTORY_FILE, list(history))
    measures = {backend: one.as_dict() for backend, one in model.metrics.items()}
    write_json(output, EVALUATION_FILE, {"part": part, "backends": measures})
    output.write(CARD_FILE, card(model, settings, index).encode())
    output.write(PAGE_FILE, _page(model, settings, index, history).encode())
    return model


def _page(
    model: TrainedModel,
    settings: TrainSettings,
    index: SampleIndex,
    history: Sequence[Mapping[str, Any]],
) -> str:
    measured = next(iter(model.metrics.values()), None)
    facts = {"Classes": str(len(index.labels))}
    facts |= {f"Samples of {part}": f"{index.rows(part):,}" for part in index.parts}
    if measured is not None:
        facts |= {
            "Top-1": f"{measured.top1:.1%}",
            "Top-5": f"{measured.top5:.1%}",
            "Calibration error": f"{measured.calibration_error:.3f}",
        }
    measures = measured.as_dict() if measured else None
    name = model.bundle.name
    return render_training_page(name, facts, history, model.part, measures, settings.as_dict())


@contextmanager
def _models_folder(output: Storage) -> Iterator[Path]:
    """Yield a local folder, whose files are in the folder `models` of the output afterwards."""
    if output.is_local:
        yield output.path(MODELS_FOLDER)
        return
    with tempfile.TemporaryDirectory(prefix="sightline-model-") as scratch:
        folder = Path(scratch)
        yield folder
        # The manifest comes last: without it there is no bundle.
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        for file in sorted(files, key=lambda one: one.name == "model.json"):
            output.store(file, f"{MODELS_FOLDER}/{file.relative_to(folder).as_posix()}")


def register(bundle: Path, models: Path, name: str) -> None:
    """Copy a bundle into a folder of models, where it replaces a model of the same name.

    Raises:
        WrongUseError: OUTPUT_NOT_OURS, OUTPUT_NOT_WRITABLE.
    """
    target = models / name
    require_replaceable(target, [bundle])
    with publish_folder(target, None, [bundle]) as folder:
        shutil.copytree(bundle, folder, dirs_exist_ok=True)


def write_json(output: Storage, name: str, content: object) -> None:
    """Write a JSON file."""
    output.write(name, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
