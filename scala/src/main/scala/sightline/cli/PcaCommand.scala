package sightline.cli

import mainargs.{ParserForClass, arg, main}

import sightline.report.{RunPage, Tracking}
import sightline.{OptionValue, SightlineException}

/** `pca`: scales features, projects them on principal components and writes a report. */
object PcaCommand extends Command {

  private val DefaultK = 50

  @main
  final case class Options(
      @arg(doc = "Output folder of `features`")
      features: String,
      @arg(doc = "Output folder; it appears when the run is complete")
      output: String,
      @arg(doc = "Number of principal components to keep (default 50)")
      k: Option[Int] = None,
      @arg(doc = "Use the fitted model of this earlier `pca` output instead of fitting a new one")
      `apply`: Option[String] = None,
      @arg(doc =
        "Column of splits, such as train and test (default: split, else the folders in the paths)"
      )
      splitColumn: Option[String] = None,
      @arg(doc = "Fit on all rows; the features have no training split")
      noSplit: mainargs.Flag = mainargs.Flag(),
      @arg(doc = "Replace the output if it exists")
      overwrite: mainargs.Flag = mainargs.Flag(),
      @arg(doc = "Do not write report.html and pca_variance.png")
      noReport: mainargs.Flag = mainargs.Flag(),
      @arg(doc = "Write the report without images")
      noThumbnails: mainargs.Flag = mainargs.Flag(),
      @arg(doc = "URI of an MLflow tracking server to log the run to")
      mlflow: Option[String] = None,
      @arg(doc = "MLflow experiment (default: sightline)")
      experiment: Option[String] = None,
      @arg(doc = "If the tracking server cannot be reached, print a warning and continue")
      mlflowOptional: mainargs.Flag = mainargs.Flag(),
      cloud: CloudOptions,
  )

  private val parser = ParserForClass[Options]

  override val name: String = "pca"
  override val summary: String =
    "scale features and project them on principal components, with a report"
  override val example: String = "--features features/ --k 50 --output pca/"
  // The parser accepts one dash for an option of one letter; here it has two, like all options.
  override def options: String = Command.options(parser).replace("  -k <int> ", "  --k <int>")

  override def prepare(arguments: Seq[String]): Invocation => Unit = {
    val options = Command.parse(parser, this, arguments.flatMap(oneDash))
    exclude("--k", options.k.isDefined, "--apply", options.`apply`.isDefined)
    exclude("--split-column", options.splitColumn.isDefined, "--no-split", options.noSplit.value)
    require("--experiment", options.experiment.isDefined, options.mlflow.isDefined)
    require("--mlflow-optional", options.mlflowOptional.value, options.mlflow.isDefined)
    val run = PcaRun(
      features = Command.nonEmpty("--features", options.features),
      output = Command.nonEmpty("--output", options.output),
      overwrite = options.overwrite.value,
      model = options.`apply`.fold[PcaSource](
        PcaSource.Fit(OptionValue.atLeast("--k", options.k.getOrElse(DefaultK), 1))
      )(run => PcaSource.Earlier(Command.nonEmpty("--apply", run))),
      splitColumn = options.splitColumn,
      whole = options.noSplit.value,
      page = Option.when(!options.noReport.value)(RunPage(!options.noThumbnails.value)),
      tracking = options.mlflow.map { uri =>
        Tracking(
          Command.nonEmpty("--mlflow", uri),
          Command.nonEmpty("--experiment", options.experiment.getOrElse("sightline")),
          options.mlflowOptional.value,
        )
      },
    )
    options.cloud(this)(run.run)
  }

  private def oneDash(word: String): Seq[String] = word match {
    case "--k" => Seq("-k")
    case s"--k=$number" => Seq("-k", number)
    case other => Seq(other)
  }

  private def exclude(one: String, isOne: Boolean, other: String, isOther: Boolean): Unit =
    if (isOne && isOther) throw wrong(s"$one and $other exclude each other.")

  private def require(option: String, isGiven: Boolean, isTracked: Boolean): Unit =
    if (isGiven && !isTracked) throw wrong(s"$option has no effect without --mlflow.")

  private def wrong(reason: String): SightlineException =
    SightlineException("WRONG_ARGUMENTS", "subject" -> name, "reason" -> reason)
}
