"""Compares the training loop with a plain, tuned loop of PyTorch on the same images.

    .venv/bin/python benchmarks/training.py --images ../shared/data/flowers/dev/train \
        --weights ../shared/data/weights/mobilenet_v2_1.0_224.torchvision.safetensors

Both loops train the same network with the same batches, optimizer and number of threads; each run
is a new process. A plain loop is torchvision's ImageFolder with Resize, CenterCrop and ToTensor, in
a DataLoader with 0, 1 or 2 worker processes that keep running. The first epoch is left out: it
fills caches. `decode` and `network` are the raw parts: decoding alone, and training steps on pixels
in memory. The table has the median of the rounds; the rounds are interleaved.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OURS = "sightline"
PLAIN = ("plain, 0 processes", "plain, 1 process", "plain, 2 processes")
RAW = ("decode", "network")
_EPOCHS = 2


def main() -> None:
    """Measure all contenders, or one in this process."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", required=True, type=Path, help="folder with a folder a class")
    parser.add_argument("--weights", default="none", help="start weights of the network")
    parser.add_argument("--architecture", default="mobilenet_v2", help="torchvision's name")
    parser.add_argument("--freeze", default="none", help="as for train")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="file for the results")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--samples", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(_measure(given)))
        return
    with tempfile.TemporaryDirectory(prefix="sightline-training-") as scratch:
        given.samples = Path(scratch, "samples")
        _prepare(given)
        results: dict[str, list[dict[str, float]]] = {}
        for number in range(given.rounds):
            for name in (OURS, *PLAIN, *RAW):
                print(f"round {number + 1} of {given.rounds}: {name}", file=sys.stderr)
                results.setdefault(name, []).append(_run(name, given))
    print(_table(results))
    if given.json:
        given.json.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


def _run(name: str, given: argparse.Namespace) -> dict[str, float]:
    options = {
        "--images": given.images,
        "--weights": given.weights,
        "--architecture": given.architecture,
        "--freeze": given.freeze,
        "--image-size": given.image_size,
        "--batch-size": given.batch_size,
        "--threads": given.threads,
        "--one": name,
        "--samples": given.samples,
    }
    words = [str(word) for pair in options.items() for word in pair]
    done = subprocess.run(  # noqa: S603
        [sys.executable, __file__, *words], stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _settings(given: argparse.Namespace) -> Any:  # noqa: ANN401
    from sightline.train.network import full_name
    from sightline.train.train_settings import TrainSettings

    return TrainSettings(
        architecture=full_name(given.architecture),
        weights=str(given.weights),
        image_size=given.image_size,
        batch_size=given.batch_size,
        freeze=given.freeze,
        epochs=_EPOCHS,
        checkpoint_every=_EPOCHS,
    )


def _prepare(given: argparse.Namespace) -> None:
    from sightline.source.list_images import ImageSource
    from sightline.train.augment import PixelReader
    from sightline.train.network import preprocessing_of, start_weights
    from sightline.train.prepare import SampleSource, list_samples, write_listed
    from sightline.train.run_steps import write_start
    from sightline.train.split_samples import SplitShares
    from sightline.train.storage import Storage

    settings = _settings(given)
    source = SampleSource(ImageSource(str(given.images)), SplitShares(1.0, 0.0, 0.0))
    reader = PixelReader(preprocessing_of(settings), "none", 0)
    write_listed(list_samples(source, 0), source, reader, Storage(given.samples), given.threads)
    write_start(Storage(given.samples), start_weights(settings))


def _measure(given: argparse.Namespace) -> dict[str, float]:
    import torch

    torch.set_num_threads(given.threads)
    if given.one == OURS:
        return _ours(given)
    if given.one == "decode":
        return _decode(given)
    batches = _plain_batches(given, int(given.one.split()[1]) if given.one in PLAIN else 0)
    return _plain(given, batches, in_memory=given.one == "network")


def _ours(given: argparse.Namespace) -> dict[str, float]:
    import torch
    from sightline.train.epoch_record import EpochRecord
    from sightline.train.process_group import ProcessGroup
    from sightline.train.run_lock import hold_run
    from sightline.train.train_worker import WorkerTask, run_worker

    settings = _settings(given)
    seconds = [_cpu_seconds()]
    records: list[EpochRecord] = []

    def epoch_end(record: EpochRecord) -> None:
        seconds.append(_cpu_seconds())
        records.append(record)

    with (
        tempfile.TemporaryDirectory(prefix="sightline-training-") as checkpoints,
        hold_run(Path(checkpoints)) as owner,
    ):
        task = WorkerTask(
            settings.as_dict(),
            str(given.samples),
            checkpoints,
            "" if given.weights == "none" else str(given.samples),
            checkpoints,
            10**9,
            given.threads,
            checkpoints,
            owner,
        )
        run_worker(task, ProcessGroup(0, 1, torch.device("cpu")), epoch_end)
    last = records[-1]
    return {
        "images_per_second": last.images_per_second,
        "cpu_ms": 1e3 * (seconds[-1] - seconds[-2]) / last.samples,
        "wait_share": last.wait_share,
        "first_batch_seconds": last.first_batch_seconds,
    }


def _decode(given: argparse.Namespace) -> dict[str, float]:
    from sightline.train.augment import PixelReader
    from sightline.train.batch_loader import BatchLoader
    from sightline.train.network import preprocessing_of
    from sightline.train.sample_index import SampleIndex
    from sightline.train.samples import Samples
    from sightline.train.shard_cache import ShardCache
    from sightline.train.storage import Storage

    folder = Storage(given.samples)
    samples = Samples(SampleIndex.read(folder), "train", ShardCache(folder, Path(), 1))
    reader = PixelReader(preprocessing_of(_settings(given)), "none", 0)
    size = given.batch_size
    seconds = spent = 0.0
    with BatchLoader(given.threads, 3, reader.size) as loader:
        for _ in range(_EPOCHS):
            began, cpu = time.monotonic(), _cpu_seconds()
            rows = [range(at, min(at + size, len(samples))) for at in range(0, len(samples), size)]
            for _batch in loader.load(
                samples, rows, lambda content, out, _: reader.plain(content, out)
            ):
                pass
            seconds, spent = time.monotonic() - began, _cpu_seconds() - cpu
    return {"images_per_second": len(samples) / seconds, "cpu_ms": 1e3 * spent / len(samples)}


def _plain_batches(given: argparse.Namespace, processes: int) -> Any:  # noqa: ANN401
    import torch
    from torchvision import datasets, transforms

    settings = _settings(given)
    from sightline.train.network import preprocessing_of

    known = preprocessing_of(settings)
    steps = transforms.Compose(
        [
            transforms.Resize(known.resize.height),
            transforms.CenterCrop(given.image_size),
            transforms.ToTensor(),
            transforms.Normalize(known.mean, known.std),
        ]
    )
    return torch.utils.data.DataLoader(
        datasets.ImageFolder(str(given.images), steps),
        batch_size=given.batch_size,
        shuffle=True,
        num_workers=processes,
        persistent_workers=processes > 0,
        prefetch_factor=3 if processes else None,
    )


def _plain(given: argparse.Namespace, batches: Any, *, in_memory: bool) -> dict[str, float]:  # noqa: ANN401
    """Train as a tuned script does: channels last, and gradients set to None."""
    import torch
    from sightline.train.network import build_network, freeze, set_training, start_weights

    settings = _settings(given)
    classes = len(batches.dataset.classes)
    network = build_network(settings, classes, start_weights(settings))
    frozen = freeze(network, settings, classes)
    network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam([one for one in network.parameters() if one.requires_grad], 1e-3)
    loss_of = torch.nn.CrossEntropyLoss()
    kept = list(batches) if in_memory else None
    count, seconds, spent, waits = 0, 0.0, 0.0, list[float]()
    for _ in range(_EPOCHS):
        set_training(network, frozen)
        began, cpu = time.monotonic(), _cpu_seconds()
        count, waits = 0, []
        for pixels, labels in _timed(kept if kept is not None else batches, waits):
            pixels = pixels.to(memory_format=torch.channels_last)  # noqa: PLW2901
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(network(pixels), labels)
            loss.backward()
            optimizer.step()
            count += len(labels)
        seconds, spent = time.monotonic() - began, _cpu_seconds() - cpu
    return {
        "images_per_second": count / seconds,
        "cpu_ms": 1e3 * spent / count,
        "wait_share": sum(waits) / seconds,
    }


def _timed(batches: Any, waits: list[float]) -> Iterator[Any]:  # noqa: ANN401
    """Yield the batches, and append the seconds that each took to arrive."""
    rest = iter(batches)
    while True:
        began = time.monotonic()
        batch = next(rest, None)
        waits.append(time.monotonic() - began)
        if batch is None:
            return
        yield batch


def _cpu_seconds() -> float:
    """Return the CPU time of this process and of its children that run: see `psutil`."""
    import psutil

    own = resource.getrusage(resource.RUSAGE_SELF)
    total = own.ru_utime + own.ru_stime
    for child in psutil.Process().children(recursive=True):
        spent = child.cpu_times()
        total += spent.user + spent.system
    return total


def _table(results: dict[str, list[dict[str, float]]]) -> str:
    def median(name: str, key: str) -> float | None:
        found = [one[key] for one in results[name] if key in one]
        return statistics.median(found) if found else None

    best = max(median(name, "images_per_second") or 0 for name in PLAIN)
    least = min(median(name, "cpu_ms") or 0 for name in PLAIN)
    lines = [
        "| loop | images/s | x best plain | CPU-ms an image | x least plain | data wait |",
        "|---|---|---|---|---|---|",
    ]
    for name in results:
        speed, cpu = median(name, "images_per_second") or 0, median(name, "cpu_ms") or 0
        wait = median(name, "wait_share")
        share = "" if wait is None else f"{100 * wait:.1f} %"
        lines.append(
            f"| {name} | {speed:.1f} | {speed / best:.2f} | {cpu:.1f} | {cpu / least:.2f} | "
            f"{share} |"
        )
    first = median(OURS, "first_batch_seconds")
    return "\n".join(
        [*lines, "", f"First batch of ours: {first:.2f} s after the network is built."]
    )


if __name__ == "__main__":
    main()
