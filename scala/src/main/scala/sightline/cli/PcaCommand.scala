package sightline.cli

import mainargs.{ParserForClass, arg, main}

import sightline.SightlineException
import sightline.report.{RunPage, Tracking}

/** `pca`: features → StandardScaler → PCA, with the explained variance and a report. */
object PcaCommand extends Command {

  private val DefaultK = 50

  @main
  final case class Options(
      @arg(doc = "Folder that `features` wrote")
      features: String,
      @arg(doc = "Folder to write; it appears when complete")
      output: String,
      @arg(doc = "How many principal components to keep (default 50)")
      k: Option[Int] = None,
      @arg(doc = "Fit nothing: project by the model of this earlier `pca` output")
      `apply`: Option[String] = None,
      @arg(doc = "Column that says train or test (default: split, else the folders of the paths)")
      splitColumn: Option[String] = None,
      @arg(doc = "Fit on every row: there is no training part")
      noSplit: mainargs.Flag = mainargs.Flag(),
      @arg(doc = "Replace an existing output")
      overwrite: mainargs.Flag = mainargs.Flag(),
      @arg(doc = "Write no report.html and no pca_variance.png")
      noReport: mainargs.Flag = mainargs.Flag(),
      @arg(doc = "Leave the images themselves out of the report")
      noThumbnails: mainargs.Flag = mainargs.Flag(),
      @arg(doc = "URI of an MLflow tracking server to log the run to")
      mlflow: Option[String] = None,
      @arg(doc = "MLflow experiment (default: sightline)")
      experiment: Option[String] = None,
      @arg(doc = "Go on with a warning if the tracking server cannot be reached")
      mlflowOptional: mainargs.Flag = mainargs.Flag(),
  )

  private val parser = ParserForClass[Options]

  override val name: String = "pca"
  override val summary: String =
    "scale features and project them on their principal components, with a report"
  override val example: String = "--features features/ --k 50 --output pca/"
  // The parser gives an option of one letter one dash; as everywhere else, it has two.
  override def options: String = Command.options(parser).replace("  -k <int> ", "  --k <int>")

  override def prepare(arguments: Seq[String]): Invocation => Unit = {
    val options = Command.parse(parser, this, arguments.flatMap(oneDash))
    exclude("--k", options.k.isDefined, "--apply", options.`apply`.isDefined)
    exclude("--split-column", options.splitColumn.isDefined, "--no-split", options.noSplit.value)
    require("--experiment", options.experiment.isDefined, options.mlflow.isDefined)
    require("--mlflow-optional", options.mlflowOptional.value, options.mlflow.isDefined)
    PcaRun(
      features = Command.nonEmpty("--features", options.features),
      output = Command.nonEmpty("--output", options.output),
      overwrite = options.overwrite.value,
      model = options.`apply`.fold[PcaSource](
        PcaSource.Fit(Command.atLeast("--k", options.k.getOrElse(DefaultK), 1))
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
    ).run
  }

  private def oneDash(word: String): Seq[String] = word match {
    case "--k" => Seq("-k")
    case s"--k=$number" => Seq("-k", number)
    case other => Seq(other)
  }

  private def exclude(one: String, isOne: Boolean, other: String, isOther: Boolean): Unit =
    if (isOne && isOther) {
      throw SightlineException(
        "WRONG_ARGUMENTS",
        "subject" -> "pca",
        "reason" -> s"$one and $other exclude each other.",
      )
    }

  private def require(option: String, isGiven: Boolean, isTracked: Boolean): Unit =
    if (isGiven && !isTracked) {
      throw SightlineException(
        "WRONG_ARGUMENTS",
        "subject" -> "pca",
        "reason" -> s"$option says nothing without --mlflow.",
      )
    }
}
