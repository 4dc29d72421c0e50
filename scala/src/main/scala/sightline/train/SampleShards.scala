package sightline.train

import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters.*

import org.apache.spark.sql.functions.col
import org.apache.spark.sql.sightline.{ArrowMap, Expressions, ReadImageExpression}
import org.apache.spark.sql.{DataFrame, SparkSession}
import org.json4s.*
import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods

import sightline.report.WrittenRows
import sightline.source.{Columns, ImagePathReader, PartitionPlan}

/** Writes the samples of a run: the checked bytes of the images, in files that the trainers read. */
object SampleShards {

  /** The file that is written last, and names the others. */
  val Index = "index.json"

  /**
   * The images of a table of samples with their bytes, sorted by part and path over all partitions.
   * Only the paths are sorted; the files are opened after that. The bytes of a table of images are
   * sorted themselves.
   */
  def sorted(spark: SparkSession, table: SampleTable, source: SampleSource): DataFrame = {
    val slots = spark.sparkContext.defaultParallelism
    val partitions = PartitionPlan.partitions(table.input.count, 0L, slots).toInt
    val order = Seq(col(SplitSamples.Part), col(Columns.Path))
    def arranged(rows: DataFrame): DataFrame =
      rows.repartitionByRange(partitions, order: _*).sortWithinPartitions(order: _*)
    val read =
      if (table.input.isPacked) arranged(packed(spark, table))
      else {
        val reader =
          ImagePathReader(spark, SampleTable.root(spark, source), source.images.maxImageBytes)
        val file = Expressions.mapped(col(Columns.Path))(ReadImageExpression(_, reader))
        arranged(table.rows)
          .withColumn(Columns.WorkerContent, file)
          .withColumn(Columns.WorkerError, col(Columns.WorkerContent).getField("error"))
          .withColumn(Columns.WorkerContent, col(Columns.WorkerContent).getField("content"))
      }
    read.select(
      col(Columns.Path),
      col(SplitSamples.Part),
      col(SampleTable.ClassId),
      col(Columns.WorkerContent).as(Columns.Content),
      col(Columns.WorkerError).as(Columns.Error),
    )
  }

  private def packed(spark: SparkSession, table: SampleTable): DataFrame =
    table.images
      .select(Columns.Path, Columns.Label, Columns.WorkerContent, Columns.WorkerError)
      .join(table.rows.select(Columns.Path, SplitSamples.Part).distinct(), Columns.Path)
      .join(SampleTable.classIds(spark, table.labels), Columns.Label)

  /**
   * Decodes each image once, and writes the good ones.
   *
   * @param rows of [[sorted]]
   * @param settings the checked settings of the run
   * @param folder the folder of the samples, a path or URI
   * @param access how Python reaches the object store of a URI: the fields of `StoreAccess`
   * @return what the tasks have written, one JSON text for each file, count and image left out
   */
  def write(
      python: TrainPython,
      rows: DataFrame,
      source: SampleSource,
      settings: JObject,
      folder: String,
      access: JObject,
  ): Seq[String] = {
    val threads = rows.sparkSession.sparkContext.getConf.getInt("spark.task.cpus", 1)
    val spec = ("settings" -> settings) ~ ("samples" -> folder) ~ ("threads" -> threads) ~
      ("max_image_bytes" -> source.images.maxImageBytes) ~ ("access" -> access)
    ArrowMap(rows, python.worker("prepare", spec), "prepare", TrainPython.Events)
      .collect()
      .map(_.getString(0))
      .toSeq
  }

  /**
   * Writes the index, which makes the samples complete.
   *
   * @param events of [[write]]
   * @throws sightline.SightlineException MAX_ERROR_RATE_EXCEEDED, CLASS_WITHOUT_IMAGES, ROWS_LOST
   */
  def index(
      python: TrainPython,
      events: Seq[String],
      table: SampleTable,
      source: SampleSource,
      folder: String,
      access: JObject,
  ): Unit = {
    WrittenRows.check(table.input.count, events.map(images).sum)
    withLines(events) { file =>
      python.step(
        "index",
        ("events" -> file.toString) ~
          ("labels" -> table.labels) ~
          ("images" -> source.images.images) ~
          ("max_error_rate" -> source.maxErrorRate) ~
          ("samples" -> folder) ~
          ("access" -> access),
      ): Unit
    }
  }

  /** The images that an event of the workers accounts for. */
  private def images(event: String): Long = {
    implicit val formats: Formats = DefaultFormats
    val json = JsonMethods.parse(event)
    (json \ "kind").extract[String] match {
      case "count" => (json \ "rows").extract[Long]
      case "left_out" => 1L
      case _ => 0L
    }
  }

  private def withLines[A](lines: Seq[String])(use: Path => A): A = {
    val file = Files.createTempFile("sightline-events-", ".jsonl")
    try {
      Files.write(file, lines.asJava, UTF_8)
      use(file)
    } finally Files.deleteIfExists(file): Unit
  }
}
