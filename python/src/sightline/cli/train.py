"""`sightline train`."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sightline.cli.mlflow_options import MlflowLog, mlflow_options
from sightline.cli.options import image_source
from sightline.cli.train_options import ConfiguredCommand, train_options
from sightline.errors import WrongUseError
from sightline.own_cores import own_cores
from sightline.require_package import require_package
from sightline.wrong_option import require_known

if TYPE_CHECKING:
    from sightline.track.log_run import LoggedRun
    from sightline.train.epoch_record import EpochRecord, Progress
    from sightline.train.run_training import TrainArguments, TrainResult

_LINE_SECONDS = 10
_NAMES = {"uri": "mlflow"}  # parameters with another name than their option


@click.command(cls=ConfiguredCommand)
@train_options
@mlflow_options
def train(**options: Any) -> None:  # noqa: ANN401 - click's values, by the names of the options
    """Train an image classifier, and make a model of it.

    The images are divided, checked and copied into the output once. Then the network is trained;
    its checkpoints are in the output, and --resume continues from the newest. The best checkpoint
    becomes a model for `predict` and SQL, with a model card and an evaluation.

    `torchrun --nproc-per-node N -m sightline train …` trains with N workers on one machine; the
    jar's `train` does so on a Spark cluster.

    \b
    Example:
      sightline train --images flowers/ --architecture mobilenet_v2 --freeze all-but-head \\
        --epochs 5 --output flowers_run --register flowers
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    require_package(
        "torch",
        "torchvision",
        "safetensors",
        "yaml",
        "onnx",
        "jinja2",
        "matplotlib",
        install="sightline[train]",
        purpose="train",
    )
    # Imported here because `--help` must not load torch.
    from sightline.train.run_training import run_training
    from sightline.train.tensorboard_writer import require_tensorboard

    if options["tensorboard"]:
        require_tensorboard()

    arguments = _arguments(options)
    mlflow = MlflowLog(options)
    shown = _Shown()
    result = run_training(arguments, shown.epoch, shown.progress)
    if result.model is not None:
        _print(arguments, result)
        mlflow.log(arguments.output, _log)


def _log(output: Path, uri: str, experiment: str, run_name: str | None) -> LoggedRun:
    from sightline.track.log_training import log_training

    return log_training(output, uri, experiment, run_name)


def _arguments(given: dict[str, Any]) -> TrainArguments:
    from sightline.backends.device import DEVICES, resolve_device
    from sightline.bundle.labels import read_labels
    from sightline.train.prepare import SampleSource
    from sightline.train.run_training import TrainArguments
    from sightline.train.shard_cache import DEFAULT_CACHE
    from sightline.train.split_samples import SplitShares
    from sightline.train.train_settings import TrainSettings

    if given["resume"] and given["overwrite"]:
        raise WrongUseError("WRONG_ARGUMENTS", "--resume and --overwrite exclude each other.")
    classes = given["classes"]
    if classes != "auto" and not (classes.isdecimal() and int(classes) > 1):
        raise click.BadParameter(f"--classes '{classes}' must be auto, or a number of at least 2.")
    require_known("--device", given["device"], DEVICES)
    local_rank = os.environ.get("LOCAL_RANK")  # of torchrun
    device = resolve_device(given["device"], "pytorch", [local_rank] if local_rank else None)
    # Each field is an option of its name, except the arguments of the architecture.
    settings = TrainSettings.from_dict(given | {"arguments": given["architecture_arguments"]})
    source = SampleSource(
        image_source(given),
        SplitShares.parse(given["split"]),
        given["group_column"],
        classes,
        read_labels(given["class_names"]) if given["class_names"] else None,
        given["max_error_rate"],
        given["max_image_bytes"],
    )
    output: Path = given["output"]
    cache = given["cache"] or DEFAULT_CACHE
    models = given["models"] or Path(os.environ.get("SIGHTLINE_MODELS") or "models")
    return TrainArguments(
        source=source,
        settings=settings,
        output=output,
        checkpoints=given["checkpoints"],
        cache=cache.expanduser(),
        cache_bytes=int(given["cache_gb"] * 1e9),
        threads=given["threads"] or own_cores(),
        device=str(device),
        start="resume" if given["resume"] else "replace" if given["overwrite"] else "new",
        name=given["register"] or given["name"] or output.absolute().name,
        register=models if given["register"] else None,
        options=_saved(given),
        tensorboard=given["tensorboard"],
    )


def _saved(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options for `train.yaml`, under their names on the command line."""
    left_out = {"resume", "overwrite", "config", "output"}
    saved: dict[str, Any] = {}
    for name, value in given.items():
        if value is None or name in left_out:
            continue
        if isinstance(value, dict):
            value = json.dumps(value)  # noqa: PLW2901
        if isinstance(value, tuple):
            value = ",".join(map(str, value))  # noqa: PLW2901
        saved[_NAMES.get(name, name).replace("_", "-")] = (
            str(value) if isinstance(value, Path) else value
        )
    return saved


class _Shown:
    """Shows the progress on stderr: one line that changes, or on a file one line in 10 s."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._shown = time.monotonic()

    def progress(self, state: Progress) -> None:
        if self._is_terminal:
            click.echo(f"\r\x1b[2K{state.line()}", err=True, nl=False)
        elif time.monotonic() - self._shown >= _LINE_SECONDS:
            self._shown = time.monotonic()
            click.echo(state.line(), err=True)

    def epoch(self, record: EpochRecord) -> None:
        click.echo(("\r\x1b[2K" if self._is_terminal else "") + record.line(), err=True)


def _print(arguments: TrainArguments, result: TrainResult) -> None:
    model, index = result.model, result.index
    assert model is not None  # noqa: S101 - only the first worker prints
    counts = ", ".join(f"{part} {sum(counts)}" for part, counts in index.counts.items())
    left_out = ", ".join(f"{code} {count}" for code, count in index.left_out.items())
    click.echo(f"classes    {len(index.labels)}")
    click.echo(f"samples    {counts}" + (f"; left out: {left_out}" if left_out else ""))
    for backend, metrics in model.metrics.items():
        click.echo(
            f"{backend:<9}  {model.part}: top-1 {100 * metrics.top1:.1f} %, "
            f"top-5 {100 * metrics.top5:.1f} %, "
            f"calibration error {metrics.calibration_error:.3f}, {metrics.samples} samples"
        )
    times = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in result.seconds.items())
    click.echo(f"time       {times} s")
    click.echo(f"model      {model.bundle.path} (from {model.checkpoint})")
    click.echo(f"output     {arguments.output}")
    click.echo(f"report     {arguments.output / 'report.html'}")
    if arguments.register is not None:
        click.echo(f"registered {arguments.name} in {arguments.register}")
    path = shlex.quote(str(model.bundle.path))
    click.echo(f"next       sightline predict --images FOLDER --model {path} --output predictions")
