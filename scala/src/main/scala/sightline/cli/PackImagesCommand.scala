package sightline.cli

import mainargs.{ParserForClass, arg, main}
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.functions.{col, count, lit, sum}
import org.json4s.JsonDSL.*

import sightline.OptionValue
import sightline.report.{Publication, RunRecord, StageWithProgress, Stopwatch, WrittenRows}
import sightline.source.{Columns, ErrorCode, FolderScanOptions, ImageRequest, PackedImages}

/** `pack-images`: writes the bytes of many image files to one Parquet table. */
object PackImagesCommand extends Command {

  @main
  final case class Options(
      images: ImageOptions,
      @arg(doc =
        "Output table, a path that ends with .parquet; it appears when the run is complete"
      )
      output: String,
      @arg(doc = "Replace the output if it exists")
      overwrite: mainargs.Flag = mainargs.Flag(),
      @arg(doc = "Maximum bytes of a file; larger ones give the error TOO_LARGE (default 67108864)")
      maxImageBytes: Long = FolderScanOptions.MaxImageBytes,
      cloud: CloudOptions,
  )

  private val parser = ParserForClass[Options]

  override val name: String = "pack-images"
  override val summary: String =
    "write images into one Parquet table, which predict reads faster than small files"
  override val example: String = "--images photos/ --output photos.parquet"
  override def options: String = Command.options(parser)

  override def prepare(arguments: Seq[String]): Invocation => Unit = {
    val options = Command.parse(parser, this, arguments)
    val request =
      options.images.request(OptionValue.atLeast("--max-image-bytes", options.maxImageBytes, 1L))
    if (!options.output.stripSuffix("/").endsWith(".parquet")) {
      throw OptionValue.invalid(
        "--output",
        options.output,
        "It must end with .parquet, so that other commands recognise the table.",
      )
    }
    options.cloud(this)(run(request, options.output, options.overwrite.value, _))
  }

  private def run(
      request: ImageRequest,
      output: String,
      overwrite: Boolean,
      invocation: Invocation,
  ): Unit = {
    val spark = invocation.spark
    val hadoop = spark.sessionState.newHadoopConf()
    val watch = new Stopwatch(invocation.started)
    val publication =
      Publication.prepare(output, overwrite, request.inputs, hadoop, request.tables)
    val input =
      watch("list")(PackedImages.open(spark, request.copy(replaces = publication.replaces)))
    publication {
      val staging = publication.staging.toString
      StageWithProgress(spark, watch, "pack", input.count, input.rows, ErrorCode.all, "images") {
        PackedImages.write(_, staging)
      }
      val (counts, bytes) = watch("count")(tally(spark.read.parquet(staging)))
      WrittenRows.check(input.count, counts.images)
      val record = RunRecord(
        spark,
        name,
        invocation.started,
        invocation.arguments,
        watch.seconds,
        ("counts" ->
          (("images" -> counts.images) ~ ("bytes" -> bytes) ~ ("errors" -> counts.errors))) ~
          ("left_out" -> input.leftOut),
      )
      RunRecord.write(record, new Path(publication.staging, RunRecord.InDataFolder), hadoop)
      publication.publish()
      println(summary(counts, bytes, output, watch))
    }
  }

  private def tally(written: DataFrame): (ImageCounts, Long) = {
    val rows = written
      .groupBy(col(Columns.Error).getField("code"))
      .agg(count(lit(1)), sum(Columns.Length))
      .collect()
    val errors = rows.filterNot(_.isNullAt(0)).map(row => row.getString(0) -> row.getLong(1)).toMap
    val bytes = rows.find(row => row.isNullAt(0) && !row.isNullAt(2)).fold(0L)(_.getLong(2))
    (ImageCounts(rows.map(_.getLong(1)).sum, errors), bytes)
  }

  private def summary(
      counts: ImageCounts,
      bytes: Long,
      output: String,
      watch: Stopwatch,
  ): String = {
    val seconds = watch.seconds.toMap.apply("pack")
    f"""${counts.images}%,d images, $bytes%,d bytes, ${counts.errorText}
       |${counts.images / seconds}%.1f images/s
       |${watch.text}
       |Written to $output (run record: ${RunRecord.InDataFolder})
       |Next: spark-submit sightline.jar predict --images $output --model MODEL --output predictions""".stripMargin
  }
}
