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
 * @param leftOut files of the folder that were left out, by their endings
 */
final case class ImageInput(
    rows: DataFrame,
    count: Long,
    leftOut: Map[String, Long] = Map.empty,
)

/**
 * Which images, and what is known of them.
 *
 * @param images folder (recursive), glob, or a CSV or Parquet table of paths or of images
 * @param labels where true labels come from: the table's columns, the files' folders, or nowhere
 * @param table for tables: its columns
 * @param limit at most so many images
 * @param maxImageBytes larger files are TOO_LARGE and not opened
 * @param filter for folders and globs: which files are taken
 * @param replaces the folder that the run deletes, in which no image may lie
 */
final case class ImageRequest(
    images: String,
    labels: FolderLabels = FolderLabels.Auto,
    table: TableColumns = TableColumns(),
    limit: Option[Int] = None,
    maxImageBytes: Long = FolderScanOptions.MaxImageBytes,
    filter: FileFilter = FileFilter(),
    replaces: Option[ReplacedFolder] = None,
) {

  /** What is read, apart from what a table names. */
  def inputs: Seq[String] = images +: table.root.toSeq

  /** Those of [[inputs]] that are read whole. */
  def tables: Seq[String] = Seq(images).filter(TableFile.isParquet)
}

object ImageInput {

  /**
   * Finds the images; opens none of them.
   *
   * @throws SightlineException PATH_NOT_FOUND, NO_IMAGES, UNKNOWN_COLUMN; OUTPUT_HOLDS_INPUT
   */
  def open(spark: SparkSession, request: ImageRequest): ImageInput = {
    val input =
      if (TableFile.is(request.images)) table(spark, request)
      else forWorker(spark, request, list(spark, request))
    if (input.count == 0) throw noImages(request, None)
    input
  }

  private def table(spark: SparkSession, request: ImageRequest): ImageInput = {
    if (request.filter != FileFilter()) {
      throw SightlineException(
        "WRONG_ARGUMENTS",
        "subject" -> "--include, --exclude",
        "reason" -> s"They are for folders and globs. ${request.images} is a table, whose rows are all taken.",
      )
    }
    TableImages.open(spark, request)
  }

  /** The images of a folder or glob, in groups, listed once. */
  private[source] def files[A](
      spark: SparkSession,
      request: ImageRequest,
      group: ImageFile => A,
  ): Seq[(A, ImageInput)] = {
    val listed = list(spark, request)
    listed.files.groupBy(group).toSeq.map { case (key, files) =>
      key -> forWorker(spark, request, listed.copy(files = files))
    }
  }

  private def forWorker(
      spark: SparkSession,
      request: ImageRequest,
      listed: ListedImages,
  ): ImageInput = {
    val found = rows(spark, request, listed.files).select(
      col(Columns.Path),
      col(Columns.Label),
      lit(None.orNull).cast("int").as(Columns.LabelId),
      col(Columns.Content).as(Columns.WorkerContent),
      col(Columns.Error).as(Columns.WorkerError),
    )
    ImageInput(found, listed.files.size.toLong, listed.leftOut)
  }

  /** All that is known of a folder's files, in the columns of a packed table. */
  private[source] def listed(spark: SparkSession, request: ImageRequest): ImageInput = {
    val listed = list(spark, request)
    ImageInput(rows(spark, request, listed.files), listed.files.size.toLong, listed.leftOut)
  }

  private def list(spark: SparkSession, request: ImageRequest): ListedImages = {
    if (request.table != TableColumns()) {
      throw SightlineException(
        "WRONG_ARGUMENTS",
        "subject" -> request.images,
        "reason" -> ("--path-column, --label-column, --label-id-column, --content-column, --root, " +
          "--delimiter and --encoding are for tables, and this does not end in .csv, .tsv or .parquet."),
      )
    }
    val hadoop = spark.sessionState.newHadoopConf()
    val listed = ImageListing.list(
      request.images,
      request.labels,
      request.limit,
      request.filter,
      hadoop,
      AllowedRoots.of(spark),
    )
    val told = listed.told(request.filter)
    if (listed.files.isEmpty) throw noImages(request, told)
    told.foreach(line => System.err.println(s"sightline: ${request.images}: $line"))
    request.replaces.foreach(_.spare(listed.files, hadoop))
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
    TableFrame(spark, new FolderTable(Some(files)), options).select(
      col(Columns.Path),
      col(Columns.RelativePath),
      col(Columns.Length),
      col(Columns.ModificationTime),
      col(Columns.Label),
      col(Columns.Content),
      col(Columns.Error),
    )
  }

  private def noImages(request: ImageRequest, told: Option[String]): SightlineException =
    SightlineException(
      "NO_IMAGES",
      "location" -> request.images,
      "hint" -> told.getOrElse("Give a folder, a glob or a table that does."),
    )
}
