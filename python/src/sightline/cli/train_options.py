"""The options of `train`, and the file that can hold them all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from sightline.cli.models_add_images import read_arguments, read_triple
from sightline.cli.options import (
    AT_LEAST_1,
    OVERWRITE_HELP,
    PATH,
    SHARE,
    FloatInRange,
    KnownName,
    add_options,
    image_options,
)
from sightline.errors import WrongUseError
from sightline.train.train_settings import (
    AUGMENTS,
    BATCH_NORMS,
    OPTIMIZERS,
    SCHEDULERS,
    TRAIN_PRECISIONS,
)


class _LocalPath(click.Path):
    """A local path; a URI is an error, and not a folder with a colon in its name."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Return the path.

        Raises:
            click.BadParameter: For a URI.
        """
        if "://" in str(value):
            message = f"'{value}' is a URI. Without Spark it must be a local path; the jar's train"
            self.fail(f"{message} writes to object stores.", param, ctx)
        return super().convert(value, param, ctx)


_LOCAL = _LocalPath()
_WORKERS = "workers"  # An option of the jar's command alone; here torchrun starts the workers.

_WHICH_IMAGES = add_options(
    click.option("--images", required=True, help="Folder, glob or table of labelled images."),
    image_options,
    click.option(
        "--split",
        default="0.8/0.1/0.1",
        show_default=True,
        help="Shares of train, validation and test, drawn for each label; or folders: the parts "
        "are the folders train, validation and test in the paths.",
    ),
    click.option(
        "--group-column",
        help="A table's column; images with the same value are in one part, such as the images of "
        "one patient.",
    ),
    click.option(
        "--classes",
        default="auto",
        show_default=True,
        help="Number of classes to expect; auto takes what the labels give.",
    ),
    click.option(
        "--class-names", type=PATH, help="File with the labels in the order of the class ids."
    ),
    click.option(
        "--max-error-rate",
        type=SHARE,
        default=0.01,
        show_default=True,
        help="Fail before the training if a larger share of the images is unreadable (0 to 1).",
    ),
)
_NETWORK = add_options(
    click.option(
        "--architecture",
        default="resnet50",
        show_default=True,
        help="A classifier of torchvision or timm, or package.module:function.",
    ),
    click.option(
        "--architecture-arguments",
        type=read_arguments,
        default="{}",
        metavar="JSON",
        help="Keyword arguments of the architecture.",
    ),
    click.option(
        "--weights",
        default="DEFAULT",
        show_default=True,
        help="Start weights: a .safetensors or .pth file, a run or checkpoint of train, a name of "
        "torchvision's, or none. The head is always new.",
    ),
    click.option(
        "--image-size", type=AT_LEAST_1, default=224, show_default=True, help="Edge of the input."
    ),
    click.option("--mean", type=read_triple, help="Mean of each colour, in 0..1."),
    click.option("--std", type=read_triple, help="Standard deviation of each colour, in 0..1."),
    click.option(
        "--freeze",
        default="none",
        show_default=True,
        help="none, all-but-head, or N: the first N layers with weights.",
    ),
    click.option(
        "--batch-norm",
        type=KnownName(BATCH_NORMS),
        default="update",
        show_default=True,
        help="update the statistics of batch normalisation, or keep those of the start weights.",
    ),
)
_STEPS = add_options(
    click.option("--epochs", type=AT_LEAST_1, default=10, show_default=True, help="Epochs."),
    click.option(
        "--batch-size",
        type=AT_LEAST_1,
        default=64,
        show_default=True,
        help="Images of one step of all workers together.",
    ),
    click.option(
        "--optimizer", type=KnownName(OPTIMIZERS), default="adam", show_default=True, help="Method."
    ),
    click.option(
        "--learning-rate", type=float, default=1e-3, show_default=True, help="Learning rate."
    ),
    click.option(
        "--weight-decay", type=float, default=0.0, show_default=True, help="Of all weights."
    ),
    click.option("--momentum", type=float, default=0.9, show_default=True, help="Of sgd."),
    click.option(
        "--label-smoothing",
        type=float,
        default=0.0,
        show_default=True,
        help="Of the cross-entropy.",
    ),
    click.option(
        "--scheduler",
        type=KnownName(SCHEDULERS),
        default="constant",
        show_default=True,
        help="Learning rate over the steps; cosine falls to 0, step divides by 10 twice.",
    ),
    click.option(
        "--warmup-epochs",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Epochs in which the learning rate rises.",
    ),
    click.option(
        "--augment",
        type=KnownName(AUGMENTS),
        default="none",
        show_default=True,
        help="flip mirrors at random; crop also takes a random part. none: the pixels of predict.",
    ),
    click.option(
        "--precision",
        type=KnownName(TRAIN_PRECISIONS),
        default="fp32",
        show_default=True,
        help="Numbers.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="The same seed, images and settings give the same model on one CPU worker.",
    ),
)
_RUN = add_options(
    click.option("--output", required=True, type=_LOCAL, help="Folder of the run."),
    click.option("--resume", is_flag=True, help="Continue the run in --output with its settings."),
    click.option("--overwrite", is_flag=True, help=OVERWRITE_HELP),
    click.option("--checkpoints", help="Folder or URI of the checkpoints; default: in --output."),
    click.option(
        "--checkpoint-every",
        type=AT_LEAST_1,
        default=2,
        show_default=True,
        help="Epochs between checkpoints.",
    ),
    click.option(
        "--checkpoint-batches",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Also a checkpoint after each N batches of an epoch; 0: none.",
    ),
    click.option(
        "--keep",
        type=AT_LEAST_1,
        default=3,
        show_default=True,
        help="Newest checkpoints to keep; the best is kept too.",
    ),
    click.option("--cache", type=PATH, help="Local folder for copies of remote samples."),
    click.option(
        "--cache-gb",
        type=FloatInRange(min=0.001),
        default=50.0,
        show_default=True,
        help="Limit for those copies.",
    ),
    click.option("--threads", type=AT_LEAST_1, help="Threads; default: one for each core."),
    click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda."),
    click.option("--name", help="Name of the model; default: the name of --output."),
    click.option(
        "--register", help="Also add the model, with this name, to the models of --models."
    ),
    click.option(
        "--models", type=PATH, help="Folder of models; default: $SIGHTLINE_MODELS, ./models."
    ),
    click.option(
        "--tensorboard",
        help="Folder or URI for curves that TensorBoard reads; auto: tensorboard in --output.",
    ),
    click.option(
        "--config", type=PATH, help="YAML file with any of these options, such as epochs: 20."
    ),
)

train_options = add_options(_WHICH_IMAGES, _NETWORK, _STEPS, _RUN)
"""Decorator that adds the options to a click command."""


class ConfiguredCommand(click.Command):
    """A command whose options may be in a YAML file, and in that of the run it resumes.

    The command line wins, then `--config`, then the settings of the resumed run.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the files before the options are checked.

        Raises:
            WrongUseError: BAD_CONFIG.
        """
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        config = self._read(Path(given["config"])) if given.get("config") else {}
        resume = given.get("resume") or config.get("resume")
        output = given.get("output") or config.get("output")
        defaults: dict[str, Any] = {}
        if resume and output:
            saved = Path(output, "train.yaml")
            defaults |= self._read(saved) if saved.exists() else {}
        ctx.default_map = defaults | config
        return super().parse_args(ctx, args)

    def _read(self, file: Path) -> dict[str, Any]:
        import yaml

        try:
            content = yaml.safe_load(file.read_text("utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            reason = " ".join(str(error).split())
            raise WrongUseError("BAD_CONFIG", f"'{file}' cannot be read: {reason}.") from error
        if not isinstance(content, Mapping):
            raise WrongUseError("BAD_CONFIG", f"'{file}' has no options, such as epochs: 20.")
        names = {name.lstrip("-"): one.name for one in self.params for name in one.opts}
        values = {}
        for key, value in content.items():
            if key == _WORKERS:
                continue
            name = names.get(str(key).replace("_", "-"))
            if name is None:
                raise WrongUseError(
                    "BAD_CONFIG",
                    f"'{file}' has the option '{key}'. Known: {', '.join(sorted(names))}.",
                )
            if value is None:
                continue
            # Values go through the options' own checks, which take texts.
            text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
            values[str(name)] = value if isinstance(value, bool) else text
        return values
