"""Labelled folders of small images, and short runs on them."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sightline.train.augment import PixelReader
from sightline.train.epoch_record import EpochRecord
from sightline.train.network import preprocessing_of
from sightline.train.prepare import SampleSource, list_samples, write_listed
from sightline.train.process_group import ProcessGroup
from sightline.train.run_lock import OWNER_FILE
from sightline.train.sample_index import SampleIndex
from sightline.train.split_samples import SplitShares
from sightline.train.storage import Storage
from sightline.train.train_settings import TrainSettings
from sightline.train.train_worker import WorkerTask, run_worker

COLOURS = {"blue": (20, 40, 200), "green": (30, 180, 50), "red": (200, 30, 30)}
OWNER = '{"host": "here", "process": 1}\n'
# A network of 0.2 million parameters with LayerNorm, so that the number of workers changes nothing.
TINY: dict[str, Any] = {
    "architecture": "timm:test_convnext",
    "weights": "none",
    "image_size": 32,
    "batch_size": 4,
    "epochs": 3,
    "learning_rate": 3e-3,
    "checkpoint_every": 1,
    "mean": (0.5, 0.5, 0.5),
    "std": (0.5, 0.5, 0.5),
}
Prepare = Callable[..., SampleIndex]


def photo(colour: str, number: int, size: tuple[int, int] = (48, 40)) -> bytes:
    """Return a JPEG of one colour with noise; the same number gives the same bytes."""
    noise = np.random.default_rng(number).integers(-20, 20, (size[1], size[0], 3))
    pixels = np.clip(np.array(COLOURS[colour]) + noise, 0, 255).astype(np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "JPEG", quality=95)
    return encoded.getvalue()


def write_photos(folder: Path, count: int) -> Path:
    """Write `count` photos of each colour into a folder with its name."""
    for at, colour in enumerate(COLOURS):
        (folder / colour).mkdir(parents=True)
        for number in range(count):
            (folder / colour / f"{number:03d}.jpg").write_bytes(photo(colour, at * 1000 + number))
    return folder


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ten photos of each of three colours."""
    return write_photos(tmp_path_factory.mktemp("photos") / "colours", 10)


def prepare(images: Path, folder: Path, **source: Any) -> SampleIndex:  # noqa: ANN401
    """Write the samples of a folder of images."""
    from sightline.source.list_images import ImageSource

    shares = SplitShares.parse(source.pop("split", "0.8/0.1/0.1"))
    reader = PixelReader(preprocessing_of(TrainSettings(**TINY)), "none", 0)
    listed = ImageSource(str(images))
    described = SampleSource(listed, shares, **source)
    return write_listed(list_samples(described, 0), described, reader, Storage(folder), 1)


@pytest.fixture(scope="session")
def samples(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The samples of `photos`: 24 for training, three for validation, three for the test."""
    folder = tmp_path_factory.mktemp("samples")
    prepare(photos, folder)
    return folder


def remote_storage(uri: str) -> Storage:
    """Return a folder of an object store in memory."""
    import fsspec  # type: ignore[import-untyped]
    from pyarrow import fs

    handler = fs.FSSpecHandler(fsspec.filesystem("memory"))  # type: ignore[abstract]
    memory = fs.PyFileSystem(handler)
    return Storage(uri, system=memory)


def task(samples: Path, checkpoints: Path, **settings: Any) -> WorkerTask:  # noqa: ANN401
    """Return the task of a short run."""
    checkpoints.mkdir(parents=True, exist_ok=True)
    (checkpoints / OWNER_FILE).write_text(OWNER, "utf-8")
    return WorkerTask(
        TrainSettings(**{**TINY, **settings}).as_dict(),
        str(samples),
        str(checkpoints),
        "",
        str(checkpoints / "cache"),
        10**9,
        1,
        str(checkpoints),
        OWNER,
    )


def train_alone(work: WorkerTask) -> list[dict[str, Any]]:
    """Train in this process. Return the records of the epochs."""
    import torch

    records: list[EpochRecord] = []
    history = run_worker(work, ProcessGroup(0, 1, torch.device("cpu")), records.append)
    return json.loads(json.dumps(history))  # type: ignore[no-any-return]
