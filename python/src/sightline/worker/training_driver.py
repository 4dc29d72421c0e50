"""The steps of `train` that the jar's driver runs in a Python process of its own.

`python -m sightline.worker.training_driver check|index|finish`, with JSON on stdin and the answer
as one line of JSON on stdout. An error is one line on stderr, as of every command.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.errors import SightlineError

if TYPE_CHECKING:
    from sightline.train.storage import Storage


def check(given: dict[str, Any]) -> dict[str, Any]:
    """Check the settings and write the start weights.

    Args:
        given: ``settings``, ``name``, ``output``, ``checkpoints``, ``tensorboard`` (empty for none)
            and ``resumed``.

    Returns:
        ``settings`` with the architecture's library, and ``start``: the folder with the start
        weights, or an empty text.
    """
    from sightline.train.run_steps import check_run, write_start
    from sightline.train.train_settings import NO_WEIGHTS, TrainSettings

    output = _storage(given, "output")
    settings, tensors = check_run(
        TrainSettings.from_dict(given["settings"]),
        given["name"],
        output,
        _storage(given, "checkpoints"),
        _storage(given, "tensorboard") if given["tensorboard"] else None,
        resumed=given["resumed"],
    )
    write_start(output, tensors)
    start = "" if settings.weights == NO_WEIGHTS else output.root
    return {"settings": settings.as_dict(), "start": start}


def index(given: dict[str, Any]) -> dict[str, Any]:
    """Write the index of the samples.

    Args:
        given: ``events`` (a file with one event in a line), ``labels``, ``images``,
            ``max_error_rate`` and ``samples``.

    Returns:
        ``counts`` (samples of each part), ``left_out`` (by error code) and ``sha256``.
    """
    from sightline.train.build_index import build_index

    with Path(given["events"]).open(encoding="utf-8") as lines:
        found = build_index(
            map(json.loads, lines),
            given["labels"],
            given["images"],
            given["max_error_rate"],
            _storage(given, "samples"),
        )
    counts = {part: sum(one) for part, one in found.counts.items()}
    return {"counts": counts, "left_out": dict(found.left_out), "sha256": found.sha256}


def finish(given: dict[str, Any]) -> dict[str, Any]:
    """Make the model of the best checkpoint, and evaluate it on the held-out samples.

    Args:
        given: ``name``, ``settings``, ``output``, ``checkpoints``, ``cache``, ``cache_bytes``,
            ``threads``, ``history`` and ``owner`` (the text of the run's owner file).

    Returns:
        ``model`` (path or URI of the bundle), ``sha256``, ``checkpoint``, ``part``, and ``metrics``
        for each backend.
    """
    from sightline.engine.quiet_decoders import quiet_decoders
    from sightline.train.run_fence import require_owner
    from sightline.train.run_steps import MODELS_FOLDER, SAMPLES_FOLDER, finish_run
    from sightline.train.shard_cache import ShardCache
    from sightline.train.train_settings import TrainSettings

    quiet_decoders()
    output = _storage(given, "output")
    require_owner(output, given["owner"])
    model = finish_run(
        given["name"],
        TrainSettings.from_dict(given["settings"]),
        output,
        _storage(given, "checkpoints"),
        ShardCache(
            output / SAMPLES_FOLDER, Path(given["cache"]).expanduser(), given["cache_bytes"]
        ),
        given["threads"],
        given["history"],
    )
    return {
        "model": f"{output.root}/{MODELS_FOLDER}/{given['name']}",
        "sha256": model.bundle.sha256,
        "checkpoint": model.checkpoint,
        "part": model.part,
        "metrics": {backend: one.as_dict() for backend, one in model.metrics.items()},
    }


def _storage(given: dict[str, Any], key: str) -> Storage:
    """Return a folder of the run; ``access`` has the fields of `StoreAccess`, for a URI."""
    from sightline.train.storage import Storage
    from sightline.transfer.remote_folder import StoreAccess

    return Storage(given[key], StoreAccess(**given.get("access", {})))


_STEPS = {"check": check, "index": index, "finish": finish}


def main(arguments: list[str]) -> int:
    """Run one step. Return 0, or the exit status of its error."""
    if len(arguments) != 1 or arguments[0] not in _STEPS:
        sys.stderr.write(f"WRONG_ARGUMENTS: give one of {', '.join(_STEPS)}.\n")
        return 2
    try:
        answer = _STEPS[arguments[0]](json.load(sys.stdin))
    except SightlineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
