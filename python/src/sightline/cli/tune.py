"""`sightline tune`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sightline.bundle.calibration import PRECISIONS
from sightline.cli.mlflow_options import MlflowLog, mlflow_options
from sightline.cli.next_command import find_jar
from sightline.cli.options import (
    ALLOW_CODE_HELP,
    AT_LEAST_1,
    BATCH_ROWS_HELP,
    OVERWRITE_HELP,
    PATH,
    KnownName,
    add_options,
    file_options,
    read_batch_rows,
)
from sightline.cli.tune_values import heads, layers, metric, pair, settings, whole_pair
from sightline.engine.batch_rows import AUTO
from sightline.engine.settings import DECODERS, DEFAULT_DECODER
from sightline.publish import check_output, require_replaceable
from sightline.require_package import require_package
from sightline.wrong_option import require_known

if TYPE_CHECKING:
    from sightline.track.log_run import LoggedRun
    from sightline.tune.run_tuning import TuneArguments, TuneResult
    from sightline.tune.training_rows import TrainingRows
    from sightline.tune.trial import Trial

_search_options = add_options(
    click.option("--trials", type=AT_LEAST_1, default=30, show_default=True, help="Trials to run."),
    click.option(
        "--folds",
        type=click.IntRange(min=2),
        default=3,
        show_default=True,
        help="Folds of the cross-validation that scores a trial.",
    ),
    click.option(
        "--metric",
        metavar="NAME",
        callback=metric,
        default="accuracy",
        show_default=True,
        help="What is compared: accuracy, f1 or logLoss, as MLlib computes them.",
    ),
    click.option(
        "--parallelism",
        type=AT_LEAST_1,
        default=4,
        show_default=True,
        help="Trials that run at the same time. Another number gives other trials.",
    ),
    click.option(
        "--seed", type=int, default=0, show_default=True, help="The same seed gives the same table."
    ),
    click.option(
        "--head",
        "heads",
        metavar="A,B",
        callback=heads,
        default="logistic,mlp",
        show_default=True,
        help="Classifiers to try: logistic (logistic regression), mlp (a small network), or both.",
    ),
    click.option(
        "--reg-param",
        metavar="LOW:HIGH",
        callback=pair(above=0),
        default="1e-5:1",
        show_default=True,
        help="Regularisation of logistic, searched on a logarithmic scale.",
    ),
    click.option(
        "--elastic-net-param",
        metavar="LOW:HIGH",
        callback=pair(least=0, most=1),
        default="0:1",
        show_default=True,
        help="Share of L1 in the regularisation of logistic.",
    ),
    click.option(
        "--max-iter",
        metavar="LOW:HIGH",
        callback=whole_pair,
        default="20:200",
        show_default=True,
        help="Iterations of both heads.",
    ),
    click.option(
        "--hidden-layers",
        metavar="A,BxC",
        callback=layers,
        default="32,64,128,128x64",
        show_default=True,
        help="Hidden layers of mlp to choose from; 128x64 is two layers.",
    ),
)
_feature_options = add_options(
    click.option("--backend", default="onnx", show_default=True, help="onnx, openvino or pytorch."),
    click.option(
        "--precision",
        type=KnownName(PRECISIONS),
        default="fp32",
        show_default=True,
        help="bf16 and int8 need a model that was calibrated for them.",
    ),
    click.option(
        "--decoder",
        type=KnownName(DECODERS),
        default=DEFAULT_DECODER,
        show_default=True,
        help="fast, or exact: decode and resize whole images, like torchvision.",
    ),
    click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda."),
    click.option(
        "--batch-rows",
        type=read_batch_rows,
        metavar="N|auto",
        default=AUTO,
        show_default=True,
        help=BATCH_ROWS_HELP,
    ),
    click.option("--allow-code", is_flag=True, help=ALLOW_CODE_HELP),
    file_options,
    click.option("--limit", type=AT_LEAST_1, help="Read only the first N images."),
)
_spark_options = add_options(
    click.option("--master", help="Spark's master; default: local[*]. Not with spark-submit."),
    click.option(
        "--conf",
        "settings",
        metavar="NAME=VALUE",
        multiple=True,
        callback=settings,
        help="A setting of Spark, such as spark.driver.memory=4g. Not with spark-submit.",
    ),
)


@click.command()
@click.option(
    "--images", required=True, help="Folder or glob of images, in a folder for each label."
)
@click.option("--model", required=True, help="Model whose features are classified.")
@click.option("--output", required=True, type=PATH, help="Folder for the result.")
@click.option("--overwrite", is_flag=True, help=OVERWRITE_HELP)
@_search_options
@_feature_options
@_spark_options
@mlflow_options
def tune(**options: Any) -> None:  # noqa: ANN401 - click's values, by the names of the options
    """Search for the best classifier on a model's features.

    Spark computes the features of the images once. Optuna chooses trials, each a head with its
    parameters; Spark fits them in parallel on the cached features and scores them by
    cross-validation. A trial that is worse than half of those before it is pruned. The best head
    is fitted on all images.

    --output gets the folder model (a Spark ML pipeline with an ImageClassifierModel), the table
    trials.csv and _run/run.json. The executors must see that folder too.

    \b
    Examples:
      sightline tune --images flowers/ --model efficientnet_lite0 --output flowers_tuned
      sightline tune --images flowers/ --model efficientnet_lite0 --output flowers_tuned
          --trials 50 --head logistic --mlflow http://127.0.0.1:5000 --experiment flowers
      spark-submit --jars sightline.jar SITE-PACKAGES/sightline/__main__.py tune --images ...
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    require_package("pyspark", install="sightline[spark,tune]", purpose="tune")
    require_package("optuna", install="sightline[spark,tune]", purpose="tune")
    arguments = _arguments(options)
    mlflow = MlflowLog(options)
    # Imported here because `--help` must not load pyspark.
    from sightline.tune.run_tuning import run_tuning
    from sightline.tune.session import tuning_session
    from sightline.tune.trial import trial_table

    study = arguments.study
    progress = _Progress(arguments)
    with tuning_session(find_jar(), options["master"], options["settings"]) as spark:
        result = run_tuning(spark, arguments, progress.show)
    click.echo(trial_table(result.trials, study.metric, larger=study.larger))
    _print_result(arguments, result)
    mlflow.log(arguments.output, _log)


def _log(output: Path, uri: str, experiment: str, run_name: str | None) -> LoggedRun:
    from sightline.track.log_tuning import log_tuning

    return log_tuning(output, uri, experiment, run_name)


def _arguments(given: dict[str, Any]) -> TuneArguments:
    """Check the options, and return what is searched."""
    from sightline.backends.device import DEVICES
    from sightline.backends.registry import known_backends
    from sightline.tune.run_tuning import TuneArguments
    from sightline.tune.search_space import SearchSpace
    from sightline.tune.study import StudySettings

    require_known("--backend", given["backend"], known_backends())
    require_known("--device", given["device"], DEVICES)
    output: Path = given["output"]
    exists = check_output(output, [given["images"]], overwrite=given["overwrite"])
    if exists is None:
        require_replaceable(output, [given["images"]])
    names = ("include", "exclude", "limit")
    stage = ("model", "backend", "precision", "decoder", "device")
    rows = given["batch_rows"]
    return TuneArguments(
        images=given["images"],
        reading={name: str(given[name]) for name in names if given[name] is not None},
        stage={name: given[name] for name in stage}
        | {"batchRows": 0 if rows == AUTO else rows, "allowCode": given["allow_code"]},
        space=SearchSpace(
            given["heads"],
            given["reg_param"],
            given["elastic_net_param"],
            given["max_iter"],
            given["hidden_layers"],
        ),
        study=StudySettings(given["trials"], given["parallelism"], given["metric"], given["seed"]),
        folds=given["folds"],
        output=output,
        if_exists=exists,
    )


class _Progress:
    """Prints a line on stderr when the features are ready, and for each trial."""

    def __init__(self, arguments: TuneArguments) -> None:
        self._study = arguments.study
        self._done: list[Trial] = []

    def show(self, event: TrainingRows | Trial) -> None:
        from sightline.tune.trial import Trial, best_trial

        if not isinstance(event, Trial):
            left_out = sum(event.errors.values()) + event.unlabelled
            message = (
                f"features of {event.rows} images, {len(event.labels)} labels; {left_out} left out"
            )
        else:
            self._done.append(event)
            best = best_trial(self._done, larger=self._study.larger)
            score = "" if event.score is None else f" {self._study.metric} {event.score:.4f}"
            shown = "" if best is None else f"; best {best.score:.4f} (trial {best.number})"
            message = (
                f"trial {len(self._done)}/{self._study.trials} {event.state}{score} "
                f"{event.head}{shown} {event.error}"
            )
        click.echo(f"sightline: tune {message}".rstrip(), err=True)


def _print_result(arguments: TuneArguments, result: TuneResult) -> None:
    best = result.best
    states = [trial.state for trial in result.trials]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    errors = "".join(f", {count} {code}" for code, count in result.errors.items())
    unlabelled = f", {result.unlabelled} without a label" if result.unlabelled else ""
    click.echo(f"images     {result.rows} of {len(result.labels)} labels{errors}{unlabelled}")
    click.echo(f"trials     {counts}")
    click.echo(f"best       trial {best.number}: {best.head}")
    click.echo(f"{arguments.study.metric:<10} {best.score:.4f}, mean of {arguments.folds} folds")
    click.echo(f"output     {arguments.output}")
