package sightline.cli

import org.apache.hadoop.fs.Path
import org.apache.spark.sql.functions.{col, concat_ws, lit, raise_error, when}
import org.apache.spark.sql.sightline.{RowCounts, RowTally}
import org.apache.spark.sql.{Column, DataFrame, SparkSession}
import org.json4s.JsonDSL.*
import org.json4s.{JField, JObject}

import sightline.SightlineException
import sightline.model.{Bundle, BundleCatalog}
import sightline.plan.{CallOptions, InferTable}
import sightline.report.{
  OutputFormat,
  Progress,
  Publication,
  RunRecord,
  Stopwatch,
  TrueLabels,
  WrittenRows,
}
import sightline.schedule.{Inference, WorkerCounters}
import sightline.source.{Columns, ErrorCode, ImageInput, ImageRequest, SplitImages, TableFile}

/**
 * A run of `predict` or `features` with checked options.
 *
 * @param model a name, or the path of a bundle's folder or zip
 * @param modelsRoot the folder of bundles that is searched first
 * @param overwrite whether the run may replace an existing output
 * @param maxErrorRate the maximum share of failed images, 0 to 1; None: no limit
 */
final case class ImageRun(
    result: ImageResult,
    images: ImageRequest,
    model: String,
    modelsRoot: Option[String],
    call: CallOptions,
    output: String,
    overwrite: Boolean,
    format: OutputFormat,
    onError: OnError,
    maxErrorRate: Option[Double],
) {

  import ImageRun.Part

  /**
   * Infers and writes the rows, counts the written rows, and publishes them if the counts are right.
   *
   * @throws SightlineException UNKNOWN_MODEL, OUTPUT_EXISTS, MAX_ERROR_RATE_EXCEEDED, ROWS_LOST and others
   */
  def run(invocation: Invocation): Unit = {
    val spark = invocation.spark
    val hadoop = spark.sessionState.newHadoopConf()
    val watch = new Stopwatch(invocation.started)
    // A model that is given by its path is an input, which the output must not replace.
    val modelPlace = Option.when(BundleCatalog.isPath(model))(model)
    val publication = Publication.prepare(
      output,
      overwrite,
      images.inputs ++ modelsRoot ++ modelPlace,
      hadoop,
      tables = images.tables ++ modelPlace,
    )
    val bundle = watch("model")(new BundleCatalog(modelsRoot, hadoop).find(model).bundle)
    publication.replaces.foreach(_.requireWithout(bundle.folder.toString, hadoop))
    bundle.requireImage(): Unit
    result match {
      case ImageResult.Prediction => bundle.requireClasses(): Unit
      case ImageResult.Features => bundle.requireFeatures(): Unit
    }
    val found = watch("list")(parts(spark, images.copy(replaces = publication.replaces)))
    val counters = WorkerCounters.of(spark.sparkContext)
    val before = counters.values
    val inferred = watch("preflight")(infer(spark, bundle))
    val staging = publication.staging.toString
    publication {
      val classes = Option
        .when(result == ImageResult.Prediction && bundle.labels.nonEmpty)(bundle.labels)
      val written = found.map { part =>
        val known = classes.map(TrueLabels.counts(spark, _, countsFailed = onError != OnError.Drop))
        val passed = RowCounts.register(spark, ErrorCode.all, known)
        val rows = inferred(part.input.rows, passed)
        val progress = Progress.start(spark, part.stage, part.input.count, passed)
        try watch(part.stage)(format.write(rows, staging))
        finally progress.stop(spark)
        passed
      }
      val (counts, labels) = watch("count") {
        val errors = written.flatMap(_.errors).groupMapReduce(_._1)(_._2)(_ + _)
        val rows = format.count(spark, staging)
        val checked = checkedCounts(rows, found.map(_.input.count).sum, errors)
        val known = classes.map { names =>
          TrueLabels.of(format.read(spark, staging), names, written.flatMap(_.labels))
        }
        (checked, known)
      }
      val seconds = watch.seconds.toMap
      val task = call.settings.resources.resolved(spark.sparkContext.getConf)
      val record = RunRecord(
        spark,
        result.command,
        invocation.started,
        invocation.arguments,
        watch.seconds,
        ("model" ->
          ("name" -> bundle.manifest.name) ~
          ("sha256" -> bundle.sha256) ~
          ("backend" -> call.settings.backend) ~
          ("device" -> call.settings.device) ~
          ("precision" -> call.settings.precision) ~
          ("decoder" -> call.images.decoder) ~
          ("batch_rows" -> call.settings.batchRows.json)) ~
          ("task" -> ("gpus" -> task.gpus) ~ ("cpus" -> task.cpus)) ~
          ("images_root" -> root(spark)) ~
          ("partitions" -> written.map(_.tasks).sum) ~
          ("counts" -> counts.json) ~
          ("left_out" -> found.headOption.fold(Map.empty[String, Long])(_.input.leftOut)) ~
          ("true_labels" -> labels.map(_.json)) ~
          ("splits" -> JObject(
            found
              .filter(_.isSplit)
              .map { part =>
                val fields = ("images" -> part.input.count) ~ ("seconds" -> seconds(part.stage))
                JField(part.split.getOrElse("none"), fields)
              }
              .toList
          )) ~
          ("format" -> format.name) ~
          ("worker" -> counters.since(before)),
      )
      RunRecord.write(record, new Path(publication.staging, RunRecord.InDataFolder), hadoop)
      publication.publish()
      val inferSeconds = found.map(part => seconds(part.stage)).sum
      println(
        ImageSummary.text(
          counts,
          result,
          call.settings.backend,
          inferSeconds,
          output,
          format,
          watch,
        )
      )
      labels.flatMap(_.warning(bundle.manifest.name, bundle.labels)).foreach { warning =>
        System.err.println(s"sightline: $warning")
      }
      println((labels.map(_.summary).toSeq :+ result.next(output, labels)).mkString("\n"))
    }
  }

  /** The images in parts, which run one after the other and are timed separately. */
  private def parts(spark: SparkSession, request: ImageRequest): Seq[Part] = result match {
    case ImageResult.Prediction =>
      Seq(Part(result.command, ImageInput.open(spark, request), None, isSplit = false))
    case ImageResult.Features =>
      SplitImages.open(spark, request).map { part =>
        val stage = s"${result.command}_${part.split.getOrElse("none")}"
        Part(stage, part.input, part.split, isSplit = true)
      }
  }

  /** The base folder of a table's relative paths; None if the images are not a table. */
  private def root(spark: SparkSession): Option[String] =
    Option.when(TableFile.is(images.images)) {
      TableFile.root(spark, images.images, images.table.root)
    }

  private def infer(
      spark: SparkSession,
      bundle: Bundle,
  ): (DataFrame, RowCounts) => DataFrame = {
    val inference = Inference(bundle, call.settings, call.images)
    val resultType = result.resultType(bundle.signature, call.topK)
    inference.check(spark)
    inference.ship(spark): Unit
    (rows, counts) => {
      val inferred = InferTable.images(result.command, inference, resultType, rows)
      val tallied = RowTally(inferred, Columns.Error, counts)
      onError match {
        case OnError.Permissive => tallied
        case OnError.Drop => tallied.where(col(Columns.Error).isNull)
        case OnError.Fail => tallied.withColumn(Columns.Error, ImageRun.failing)
      }
    }
  }

  /**
   * Compares the written rows with the input.
   *
   * @param written the number of rows in the output
   * @param expected the number of images in the input
   * @param errors the number of errors by code, including those of dropped images
   * @throws SightlineException ROWS_LOST or MAX_ERROR_RATE_EXCEEDED
   */
  private def checkedCounts(
      written: Long,
      expected: Long,
      errors: Map[String, Long],
  ): ImageCounts = {
    val dropped = if (onError == OnError.Drop) errors.values.sum else 0L
    val counts = ImageCounts(written + dropped, errors)
    WrittenRows.check(expected, counts.images)
    maxErrorRate.filter(counts.errorRate > _).foreach { limit =>
      throw SightlineException(
        "MAX_ERROR_RATE_EXCEEDED",
        "rate" -> f"${100 * counts.errorRate}%.1f",
        "errors" -> counts.errorText,
        "limit" -> f"${100 * limit}%.1f",
      )
    }
    counts
  }
}

object ImageRun {

  /**
   * Images that run together and are timed together.
   *
   * @param stage the name of the stage in the run's record
   * @param split the name of the split; None if the path contains none
   * @param isSplit whether the run divides its images into splits
   */
  final private case class Part(
      stage: String,
      input: ImageInput,
      split: Option[String],
      isSplit: Boolean,
  )

  /** The error column as an expression that fails the run at the first error. */
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
