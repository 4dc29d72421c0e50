package sightline.source

import java.util.Locale

import org.apache.spark.sql.functions.{
  coalesce,
  col,
  concat_ws,
  count,
  lit,
  min,
  nullif,
  regexp_extract,
  when,
}
import org.apache.spark.sql.sightline.{Expressions, TableFrame}
import org.apache.spark.sql.{Column, DataFrame, SparkSession}

import sightline.SightlineException

/**
 * Images ready for a worker.
 *
 * @param rows the input's columns, `path, label, label_id`, and the bytes or the reading error
 * @param count how many rows there are
 */
final case class ImageInput(rows: DataFrame, count: Long)

/**
 * Which images, and what is known of them.
 *
 * @param images folder (recursive), glob, or a CSV or Parquet table with a path column
 * @param labels where true labels come from: the table's columns, the files' folders, or nowhere
 * @param table for tables: its columns
 * @param limit at most so many images
 * @param maxImageBytes larger files are TOO_LARGE and not opened
 */
final case class ImageRequest(
    images: String,
    labels: FolderLabels = FolderLabels.Auto,
    table: TableColumns = TableColumns(),
    limit: Option[Int] = None,
    maxImageBytes: Long = ImageScanOptions.MaxImageBytes,
)

object ImageInput {

  /**
   * Finds the images; opens none of them.
   *
   * @throws SightlineException PATH_NOT_FOUND, NO_IMAGES or UNKNOWN_COLUMN
   */
  def open(spark: SparkSession, request: ImageRequest): ImageInput = {
    val input =
      if (ImageTableFile.is(request.images)) table(spark, request) else files(spark, request)
    if (input.count == 0) {
      throw SightlineException.wrongUse(
        "NO_IMAGES",
        s"${request.images} holds no images. Give a folder, a glob or a table that does.",
      )
    }
    input
  }

  private def files(spark: SparkSession, request: ImageRequest): ImageInput = {
    if (request.table != TableColumns()) {
      throw SightlineException.wrongUse(
        "WRONG_ARGUMENTS",
        "--path-column, --label-column, --label-id-column, --content-column and --root are for " +
          s"tables, and ${request.images} does not end in .csv or .parquet.",
      )
    }
    val listed = ImageListing.list(
      request.images,
      request.labels,
      request.limit,
      spark.sessionState.newHadoopConf(),
    )
    val options = Map(
      "path" -> request.images,
      "labels" -> request.labels.name,
      "maxImageBytes" -> request.maxImageBytes.toString,
    )
    val rows = TableFrame(spark, new ImageTable(Some(listed)), options).select(
      col(Columns.Path),
      col(Columns.Label),
      lit(None.orNull).cast("int").as(Columns.LabelId),
      col(Columns.Content).as(Columns.WorkerContent),
      col(Columns.Error).as(Columns.WorkerError),
    )
    ImageInput(rows, listed.size.toLong)
  }

  private def table(spark: SparkSession, request: ImageRequest): ImageInput = {
    val whole = ImageTableFile.read(spark, request.images)
    val rows = request.limit.fold(whole)(whole.limit)
    val columns = request.table.resolve(request.images, rows.schema)
    val count = countChecked(rows, request.images, columns.labelId)
    val root = ImageTableFile.root(spark, request.images, request.table.root)
    val slots = spark.sparkContext.defaultParallelism
    // A table says nothing of the images' sizes: rows stand in for bytes.
    val partitions = PartitionPlan.partitions(count, bytes = 0L, slots)
    // Spark takes `Label` and `label` for one name.
    val kept = rows.columns.toSeq
      .filterNot(name => TableColumns.Replaced(name.toLowerCase(Locale.ROOT)))
      .map(quoted)
    val named = Seq(
      quoted(columns.path).cast("string").as(Columns.Path),
      labelOf(request.labels, columns, root).cast("string").as(Columns.Label),
      columns.labelId
        .filter(_ => request.labels == FolderLabels.Auto)
        .fold(lit(None.orNull))(quoted)
        .cast("int")
        .as(Columns.LabelId),
    )
    // A row without a path is a file that is not found, not an empty one.
    val bytes = Expressions.mapped(coalesce(quoted(Columns.Path), lit(""))) {
      ReadImage(spark, _, root, request.maxImageBytes)
    }
    ImageInput(
      rows
        .repartition(partitions.toInt)
        .select(kept ++ named: _*)
        .withColumn(Columns.WorkerContent, bytes)
        .select(
          col("*"),
          col(Columns.WorkerContent).getField("error").as(Columns.WorkerError),
        )
        .withColumn(Columns.WorkerContent, col(Columns.WorkerContent).getField("content")),
      count,
    )
  }

  private def labelOf(
      labels: FolderLabels,
      columns: TableColumns.Resolved,
      root: String,
  ): Column = {
    val path = quoted(columns.path).cast("string")
    val whole =
      when(path.rlike(s"^(/|${ReadImage.Uri})"), path)
        .otherwise(concat_ws("/", lit(root), path))
    labels match {
      case FolderLabels.Auto => columns.label.fold(lit(None.orNull))(quoted)
      case FolderLabels.Folder =>
        nullif(regexp_extract(whole, "([^/]+)/+[^/]+$", 1), lit(""))
      case FolderLabels.Absent => lit(None.orNull)
    }
  }

  /** How many rows; a class id that is no number stops the run here rather than in a task. */
  private def countChecked(rows: DataFrame, table: String, labelId: Option[String]): Long = {
    val id = labelId.fold(lit(None.orNull))(quoted)
    val wrong = when(id.isNotNull && id.try_cast("int").isNull, id.cast("string"))
    val found = rows.agg(count(lit(1)), min(wrong)).head()
    Option(found.getString(1)).foreach { value =>
      throw SightlineException.wrongUse(
        "INVALID_LABEL_ID",
        s"$table has the class id '$value' in column '${labelId.mkString}', which is no whole " +
          "number. Name the column of class ids by --label-id-column.",
      )
    }
    found.getLong(0)
  }

  private def quoted(name: String): Column = col(s"`${name.replace("`", "``")}`")
}
