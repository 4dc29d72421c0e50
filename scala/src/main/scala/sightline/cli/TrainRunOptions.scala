package sightline.cli

import mainargs.{ParserForClass, arg}
import org.json4s.JObject
import org.json4s.JsonDSL.*

import sightline.report.Tracking
import sightline.{OptionValue, SightlineException}

/** The options of `train` for the run and its files. */
@mainargs.main
final case class TrainRunOptions(
    @arg(doc = "Folder or URI of the run: samples, checkpoints, model, evaluation")
    output: String,
    @arg(doc = "Continue the run in --output with its settings")
    resume: mainargs.Flag = mainargs.Flag(),
    @arg(doc = "Replace the output if it exists")
    overwrite: mainargs.Flag = mainargs.Flag(),
    @arg(doc = "Folder or URI of the checkpoints (default: in --output)")
    checkpoints: Option[String] = None,
    @arg(doc = "Epochs between checkpoints (default 2)")
    checkpointEvery: Int = 2,
    @arg(doc = "Also a checkpoint after each N batches of an epoch (default 0: none)")
    checkpointBatches: Int = 0,
    @arg(doc = "Newest checkpoints to keep; the best is kept too (default 3)")
    keep: Int = 3,
    @arg(doc =
      "Folder on each node for copies of remote samples (default ~/.cache/sightline/samples)"
    )
    cache: String = "~/.cache/sightline/samples",
    @arg(doc = "Limit for those copies, in GB (default 50)")
    cacheGb: Double = 50.0,
    @arg(doc =
      "Workers that train one model together, each a task of Spark (default 1). All must run at the " +
        "same time"
    )
    workers: Int = 1,
    @arg(doc =
      "Threads of each worker (default: spark.task.cpus; in local mode the cores divided by --workers)"
    )
    threads: Option[Int] = None,
    @arg(doc = "Device: auto (default: the task's GPU if it has one, else the CPU), cpu or cuda")
    device: String = "auto",
    @arg(doc = "Name of the model (default: the name of --output)")
    name: Option[String] = None,
    @arg(doc =
      "Also create the model with this name in the models root, as CREATE OR REPLACE MODEL"
    )
    register: Option[String] = None,
    @arg(doc = "The models root (default: spark.sightline.models, $SIGHTLINE_MODELS)")
    models: Option[String] = None,
    @arg(doc = "URI of an MLflow tracking server to log the run to, with --experiment")
    mlflow: Option[String] = None,
    @arg(doc = "MLflow experiment, which is created if it is new")
    experiment: Option[String] = None,
    @arg(doc = "Name of the MLflow run (default: model and start time)")
    runName: Option[String] = None,
    @arg(doc = "Folder or URI for curves that TensorBoard reads; auto: tensorboard in --output")
    tensorboard: Option[String] = None,
    @arg(doc =
      "YAML file with any of these options, such as epochs: 20; the command line overrides it"
    )
    config: Option[String] = None,
) {

  /** The fields of `TrainSettings`. */
  def settings: JObject =
    ("checkpoint_every" -> OptionValue.atLeast("--checkpoint-every", checkpointEvery, 1)) ~
      ("checkpoint_batches" -> OptionValue.atLeast("--checkpoint-batches", checkpointBatches, 0)) ~
      ("keep" -> OptionValue.atLeast("--keep", keep, 1))

  /**
   * The server to log the run to; None: the run is not logged.
   *
   * @throws SightlineException WRONG_ARGUMENTS if only one of server and experiment is given
   */
  def tracking: Option[Tracking] = {
    if (mlflow.isDefined != experiment.isDefined) {
      throw SightlineException(
        "WRONG_ARGUMENTS",
        "subject" -> TrainCommand.name,
        "reason" -> "--mlflow and --experiment go together.",
      )
    }
    mlflow.zip(experiment).map { case (uri, of) =>
      Tracking(
        Command.nonEmpty("--mlflow", uri),
        Command.nonEmpty("--experiment", of),
        isOptional = false,
        runName,
      )
    }
  }
}

object TrainRunOptions {
  implicit val parser: ParserForClass[TrainRunOptions] = ParserForClass[TrainRunOptions]
}
