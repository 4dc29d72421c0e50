package sightline.source

import org.apache.spark.sql.functions.{col, lit}
import org.apache.spark.sql.sightline.TableFrame
import org.apache.spark.sql.{DataFrame, SparkSession}

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
 * @param images folder (recursive), glob, or a CSV or Parquet table of paths or of images
 * @param labels where true labels come from: the table's columns, the files' folders, or nowhere
 * @param table for tables: its columns
 * @param limit at most so many images
 * @param maxImageBytes larger files are TOO_LARGE and not opened
 * @param replaces the folder that the run deletes, in which no image may lie
 */
final case class ImageRequest(
    images: String,
    labels: FolderLabels = FolderLabels.Auto,
    table: TableColumns = TableColumns(),
    limit: Option[Int] = None,
    maxImageBytes: Long = ImageScanOptions.MaxImageBytes,
    replaces: Option[ReplacedFolder] = None,
)

object ImageInput {

  /**
   * Finds the images; opens none of them.
   *
   * @throws SightlineException PATH_NOT_FOUND, NO_IMAGES, UNKNOWN_COLUMN; OUTPUT_HOLDS_INPUT
   */
  def open(spark: SparkSession, request: ImageRequest): ImageInput = {
    val input =
      if (ImageTableFile.is(request.images)) TableInput.open(spark, request)
      else forWorker(spark, request, list(spark, request))
    if (input.count == 0) throw noImages(request)
    input
  }

  /** The images of a folder or glob, in groups, listed once. */
  private[source] def files[A](
      spark: SparkSession,
      request: ImageRequest,
      group: ImageFile => A,
  ): Seq[(A, ImageInput)] =
    list(spark, request).groupBy(group).toSeq.map { case (key, files) =>
      key -> forWorker(spark, request, files)
    }

  private def forWorker(
      spark: SparkSession,
      request: ImageRequest,
      files: IndexedSeq[ImageFile],
  ): ImageInput = {
    val found = rows(spark, request, files).select(
      col(Columns.Path),
      col(Columns.Label),
      lit(None.orNull).cast("int").as(Columns.LabelId),
      col(Columns.Content).as(Columns.WorkerContent),
      col(Columns.Error).as(Columns.WorkerError),
    )
    ImageInput(found, files.size.toLong)
  }

  /** All that is known of a folder's files, in the columns of a packed table. */
  private[source] def listed(spark: SparkSession, request: ImageRequest): ImageInput = {
    val files = list(spark, request)
    ImageInput(rows(spark, request, files), files.size.toLong)
  }

  private def list(spark: SparkSession, request: ImageRequest): IndexedSeq[ImageFile] = {
    if (request.table != TableColumns()) {
      throw SightlineException(
        "WRONG_ARGUMENTS",
        "subject" -> request.images,
        "reason" -> "--path-column, --label-column, --label-id-column, --content-column and --root are for tables, and this does not end in .csv or .parquet.",
      )
    }
    val hadoop = spark.sessionState.newHadoopConf()
    val listed = ImageListing.list(
      request.images,
      request.labels,
      request.limit,
      hadoop,
      AllowedRoots.of(spark),
    )
    if (listed.isEmpty) throw noImages(request)
    request.replaces.foreach(_.spare(listed, hadoop))
    listed
  }

  private def rows(
      spark: SparkSession,
      request: ImageRequest,
      files: IndexedSeq[ImageFile],
  ): DataFrame = {
    val options = Map(
      "path" -> request.images,
      "labels" -> request.labels.name,
      "maxImageBytes" -> request.maxImageBytes.toString,
    )
    TableFrame(spark, new ImageTable(Some(files)), options).select(
      col(Columns.Path),
      col(Columns.RelativePath),
      col(Columns.Length),
      col(Columns.ModificationTime),
      col(Columns.Label),
      col(Columns.Content),
      col(Columns.Error),
    )
  }

  private def noImages(request: ImageRequest): SightlineException =
    SightlineException("NO_IMAGES", "location" -> request.images)
}
