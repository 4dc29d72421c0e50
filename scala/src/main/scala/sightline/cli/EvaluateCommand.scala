package sightline.cli

import mainargs.{ParserForClass, arg, main}
import org.apache.hadoop.fs.Path
import org.json4s.JsonDSL.*

import sightline.report.{
  Evaluation,
  EvaluationPage,
  Publication,
  RunRecord,
  SavedPredictions,
  Stopwatch,
}

/** `evaluate`: computes metrics and a confusion matrix from predictions and true labels by SQL. */
object EvaluateCommand extends Command {

  @main
  final case class Options(
      @arg(doc = "Output folder of `predict`")
      predictions: String,
      @arg(doc =
        "Output folder, for metrics.json, the confusion matrix and the metrics of each class"
      )
      output: String,
      @arg(doc =
        "Format of the predictions: parquet, csv or json (default: the format in their run.json)"
      )
      format: Option[String] = None,
      @arg(doc = "Replace the output if it exists")
      overwrite: mainargs.Flag = mainargs.Flag(),
      cloud: CloudOptions,
  )

  private val parser = ParserForClass[Options]

  override val name: String = "evaluate"
  override val summary: String =
    "compare predictions with true labels: accuracy, confusion matrix"
  override val example: String = "--predictions predictions/ --output evaluation/"
  override def options: String = Command.options(parser)

  override def prepare(arguments: Seq[String]): Invocation => Unit = {
    val options = Command.parse(parser, this, arguments)
    options.cloud(this)(run(options, _))
  }

  private def run(options: Options, invocation: Invocation): Unit = {
    val spark = invocation.spark
    val hadoop = spark.sessionState.newHadoopConf()
    val watch = new Stopwatch(invocation.started)
    val publication = Publication.prepare(
      options.output,
      options.overwrite.value,
      Seq(options.predictions),
      hadoop,
      tables = Seq(options.predictions),
    )
    publication {
      val rows = SavedPredictions.read(spark, options.predictions, options.format)
      val evaluation = watch("evaluate")(Evaluation.of(rows))
      println(EvaluationPage.text(evaluation))
      evaluation.warning.foreach(warning => System.err.println(s"sightline: $warning"))
      val staging = publication.staging
      RunRecord.write(evaluation.json, new Path(staging, "metrics.json"), hadoop)
      watch("write")(evaluation.writeTables(staging.toString))
      val record = RunRecord(
        spark,
        name,
        invocation.started,
        invocation.arguments,
        watch.seconds,
        "counts" -> (("rows" -> evaluation.rows) ~ ("errors" -> evaluation.errors)),
      )
      RunRecord.write(record, new Path(staging, "run.json"), hadoop)
      publication.publish()
      println(
        s"""${watch.text}
           |Written to ${options.output}: metrics.json, confusion_matrix/, per_class/, run.json""".stripMargin
      )
    }
  }
}
