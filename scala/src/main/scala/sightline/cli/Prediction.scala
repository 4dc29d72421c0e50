package sightline.cli

import org.apache.hadoop.fs.Path
import org.apache.spark.sql.functions.{col, concat_ws, count, lit, raise_error, when}
import org.apache.spark.sql.sightline.RowTally
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.{Column, DataFrame, SparkSession}
import org.json4s.JsonDSL.*

import sightline.SightlineException
import sightline.model.{Bundle, BundleCatalog}
import sightline.report.{OutputFormat, Progress, Publication, RunRecord, Stopwatch}
import sightline.schedule.{Inference, InferenceSettings, WorkerCounters}
import sightline.source.{Columns, ErrorCode, ImageInput, ImageRequest}

/** What `predict` was asked for, checked. */
final case class Prediction(
    images: ImageRequest,
    model: String,
    modelsRoot: Option[String],
    settings: InferenceSettings,
    output: String,
    overwrite: Boolean,
    format: OutputFormat,
    onError: OnError,
    maxErrorRate: Option[Double],
) {

  /** Predicts, writes, counts what was written, and publishes it if nothing is amiss. */
  def run(invocation: Invocation): Unit = {
    val spark = invocation.spark
    val hadoop = spark.sessionState.newHadoopConf()
    val watch = new Stopwatch
    val inputs = images.images +: images.table.root.toSeq
    val publication = Publication.prepare(output, overwrite, inputs, hadoop)
    val bundle = watch("model")(new BundleCatalog(modelsRoot, hadoop).find(model).bundle)
    val input = watch("list")(ImageInput.open(spark, images))
    val counters = WorkerCounters.register(spark.sparkContext)
    val predicted = watch("preflight")(predict(spark, bundle, input.rows, counters))
    val progress = Progress.start(spark, "predict", input.count)
    try {
      val staging = publication.staging.toString
      try watch("predict")(format.write(predicted, staging))
      finally progress.stop(spark)
      val counts = watch("count")(tally(format.read(spark, staging), input.count, progress))
      val record = RunRecord(
        spark,
        PredictCommand.name,
        invocation.started,
        invocation.arguments,
        watch.seconds,
        ("model" ->
          ("name" -> bundle.manifest.name) ~
          ("sha256" -> bundle.sha256) ~
          ("backend" -> settings.backend) ~
          ("device" -> settings.device) ~
          ("precision" -> settings.precision) ~
          ("decoder" -> settings.decoder)) ~ ("counts" -> counts.json) ~ ("format" -> format.name) ~ ("worker" -> counters.values),
      )
      RunRecord.write(record, new Path(publication.staging, RunRecord.InDataFolder), hadoop)
      publication.publish()
      println(summary(counts, watch))
    } finally publication.discard()
  }

  private def predict(
      spark: SparkSession,
      bundle: Bundle,
      rows: DataFrame,
      counters: WorkerCounters,
  ): DataFrame = {
    val kept = rows.schema.filterNot(f => Prediction.WorkerColumns(f.name))
    val schema = StructType(kept)
      .add(Columns.Prediction, Columns.PredictionType)
      .add(Columns.Error, Columns.ErrorType)
    val predicted = Inference(bundle, settings).bulk(spark, Some(counters)).mapInArrow(rows, schema)
    val tallied = RowTally(predicted, Columns.Error, ErrorCode.all)
    onError match {
      case OnError.Permissive => tallied
      case OnError.Drop => tallied.where(col(Columns.Error).isNull)
      case OnError.Fail => tallied.withColumn(Columns.Error, Prediction.failing)
    }
  }

  private def tally(written: DataFrame, expected: Long, progress: Progress): ImageCounts = {
    val byCode = written
      .groupBy(col(Columns.Error).getField("code"))
      .agg(count(lit(1)))
      .collect()
      .map(row => Option(row.getString(0)) -> row.getLong(1))
      .toMap
    val rows = byCode.values.sum
    val dropped = if (onError == OnError.Drop) progress.errors else Map.empty[String, Long]
    val counts = ImageCounts(
      images = rows + dropped.values.sum,
      errors = byCode.collect { case (Some(code), n) => code -> n } ++ dropped,
    )
    if (counts.images != expected) {
      throw SightlineException.failed(
        "ROWS_LOST",
        s"$expected images went in, ${counts.images} came out. Nothing was published; run it again.",
      )
    }
    maxErrorRate.filter(counts.errorRate > _).foreach { limit =>
      throw SightlineException.failed(
        "MAX_ERROR_RATE_EXCEEDED",
        f"${100 * counts.errorRate}%.1f%% of the images failed (${counts.errorText}), the limit " +
          f"is ${100 * limit}%.1f%%. Nothing was published.",
      )
    }
    counts
  }

  private def summary(counts: ImageCounts, watch: Stopwatch): String = {
    val seconds = watch.seconds.toMap.apply("predict")
    f"""${counts.images}%,d images: ${counts.predicted}%,d predicted, ${counts.errorText}
       |${counts.images / seconds}%.1f images/s with ${settings.backend}, $seconds%.1f s
       |Written to $output (${format.name}; ${RunRecord.InDataFolder} tells how)
       |Next: spark-submit sightline.jar evaluate --predictions $output --output evaluation""".stripMargin
  }
}

object Prediction {

  private val WorkerColumns = Set(Columns.WorkerContent, Columns.WorkerError)

  /** The error column, which stops the run at its first error. */
  private def failing: Column = {
    val error = col(Columns.Error)
    val message = concat_ws(
      "",
      lit("IMAGE_FAILED: "),
      col(Columns.Path),
      lit(": "),
      error.getField("code"),
      lit(": "),
      error.getField("message"),
      lit(" (--on-error fail stops at the first such image)"),
    )
    when(error.isNotNull, raise_error(message)).otherwise(error)
  }
}
