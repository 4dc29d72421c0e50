package sightline.cli

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession
import org.json4s.JsonDSL.*
import org.json4s.{JField, JInt, JNothing, JNull, JObject, JString, JValue}

import sightline.pca.{
  ComponentsOutput,
  ComponentsWorker,
  FeatureCounts,
  FeatureTable,
  FittedComponents,
}
import sightline.report.{
  LocalRun,
  Publication,
  RunPage,
  RunRecord,
  StageWithProgress,
  Stopwatch,
  Tracking,
  WrittenRows,
}
import sightline.source.Split

/**
 * A run of `pca` with checked options.
 *
 * @param features the table of features
 * @param model the source of the components
 * @param splitColumn the column of splits; None: `split` if it exists, else the paths
 * @param whole whether all rows are training rows
 * @param page the report; None: the run writes none
 * @param tracking the server to log the run to; None: the run is not logged
 */
final case class PcaRun(
    features: String,
    output: String,
    overwrite: Boolean,
    model: PcaSource,
    splitColumn: Option[String],
    whole: Boolean,
    page: Option[RunPage],
    tracking: Option[Tracking],
) {

  /** Fits or loads the model, projects, writes, reports, publishes and logs. */
  def run(invocation: Invocation): Unit = {
    val spark = invocation.spark
    val hadoop = spark.sessionState.newHadoopConf()
    val watch = new Stopwatch(invocation.started)
    val inputs = features +: model.input.toSeq
    val publication = Publication.prepare(output, overwrite, inputs, hadoop, tables = inputs)
    publication.requireWritten()
    page.foreach(_.check(spark))
    val tracked = watch("preflight") {
      ComponentsWorker.check(spark)
      tracking.flatMap(_.check(spark))
    }
    val table = FeatureTable.open(spark, features, splitColumn, whole)
    val counts = watch("read")(FeatureCounts.of(table, features))
    val featuresRun = RunRecord.read(new Path(features, RunRecord.InDataFolder), hadoop)
    val fitted = model.components(spark, table, counts, featuresRun, watch)
    val staging = publication.staging
    publication {
      val written = new ComponentsOutput(spark, staging.toString)
      StageWithProgress(spark, watch, "transform", counts.rows, table.described(None)) { rows =>
        written.write(fitted.model.project(rows))
      }
      watch("count")(WrittenRows.check(counts.splits, written.counts(features)))
      watch("csv")(written.writeCsv(counts.splits.keys.toSeq, fitted.model.k))
      val points = watch("sample")(written.writeSample(counts.labels, PcaRun.Points))
      watch("model")(fitted.model.save(s"$staging/model"))
      def record(): Unit =
        RunRecord.write(
          RunRecord(
            spark,
            PcaCommand.name,
            invocation.started,
            invocation.arguments,
            watch.seconds,
            json(table, counts, fitted, featuresRun) ~
              ("sample" -> (("rows" -> points) ~ ("of" -> counts.rows))),
          ),
          new Path(staging, "run.json"),
          hadoop,
        )
      record()
      page.foreach { page =>
        val message = watch("report")(page.write(spark, staging, hadoop))
        message.foreach(line => System.err.println(s"report: $line"))
        record()
      }
      publication.publish()
    }
    println(PcaSummary.text(output, counts, fitted, watch, page.isDefined))
    tracked.foreach(log(_, spark, hadoop))
  }

  private def log(tracking: Tracking, spark: SparkSession, hadoop: Configuration): Unit =
    LocalRun(new Path(output), hadoop, PcaRun.Tracked, made = Nil) { folder =>
      println(tracking.log(spark, folder, output).trim)
    }

  private def json(
      table: FeatureTable,
      counts: FeatureCounts,
      fitted: FittedComponents,
      featuresRun: JValue,
  ): JObject = {
    val splits = fields(counts.splits)
    ("features_run" -> (if (featuresRun == JNothing) JNull else featuresRun)) ~
      ("counts" -> (
        ("rows" -> counts.rows) ~ JObject(splits) ~ ("errors" -> counts.errors)
      )) ~
      ("splits" -> JObject(splits)) ~
      ("classes" -> counts.classes.map { case (label, bySplit) =>
        JObject(
          JField("label", label.fold[JValue](JNull)(JString(_))) ::
            fields(bySplit)
        )
      }) ~
      ("error_samples" -> table.failed(PcaRun.ErrorSamples)) ~
      ("pca" -> (fitted.json ~ model.json))
  }

  private def fields(bySplit: Map[String, Long]): List[JField] =
    bySplit.toList.sortBy(_._1)(Split.order).map { case (split, n) => JField(split, JInt(n)) }
}

object PcaRun {

  /** The maximum number of rows that a report draws. */
  private val Points = 10000

  private val ErrorSamples = 20

  /** Files and folders that are logged to a tracking server. */
  private val Tracked = Seq("run.json", "report.html", "pca_variance.png", "model")
}
