package sightline.source

import org.apache.spark.sql.functions.{col, lit}
import org.apache.spark.sql.sightline.TableFrame
import org.apache.spark.sql.{DataFrame, SparkSession}

import sightline.SightlineException

/**
 * The images of a run.
 *
 * @param rows the input's columns, `path, label, label_id`, and the bytes or the reading error
 * @param count the number of rows
 * @param leftOut the number of files that the filter left out, by their endings
 * @param isPacked whether the bytes are a table's own column; else each row's file is opened
 * @param bytes the size of the images or of their table in bytes; 0 if it is unknown
 * @param sample returns some of `rows`, as a run reads them; None if the input supports no samples
 */
final case class ImageInput(
    rows: DataFrame,
    count: Long,
    leftOut: Map[String, Long] = Map.empty,
    isPacked: Boolean = false,
    bytes: Long = 0L,
    sample: Option[ImageSample => DataFrame] = None,
)

/**
 * The images that a run reads.
 *
 * @param images a folder (recursive), a glob, or a CSV or Parquet table of paths or of images
 * @param labels the source of true labels: the table's columns, the files' folders, or none
 * @param table the columns of a table
 * @param limit the maximum number of images; None: no limit
 * @param maxImageBytes larger files give the error TOO_LARGE and are not opened
 * @param filter selects the files of a folder or glob
 * @param replaces the folder that the run deletes, which must not contain images of the run
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

  /** The locations that the run reads, without the files that a table names. */
  def inputs: Seq[String] = images +: table.root.toSeq

  /** The elements of [[inputs]] that are Parquet tables: all files in them are read. */
  def tables: Seq[String] = Seq(images).filter(TableFile.isParquet)
}

object ImageInput {

  /**
   * Lists the images; opens none of them.
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
        "reason" -> s"They are for folders and globs. ${request.images} is a table, and all its rows are taken.",
      )
    }
    TableImages.open(spark, request)
  }

  /** The images of a folder or glob, listed once and grouped by `group`. */
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
    def found(files: IndexedSeq[ImageFile]): DataFrame = rows(spark, request, files).select(
      col(Columns.Path),
      col(Columns.Label),
      lit(None.orNull).cast("int").as(Columns.LabelId),
      col(Columns.Content).as(Columns.WorkerContent),
      col(Columns.Error).as(Columns.WorkerError),
    )
    val files = listed.files
    ImageInput(
      found(files),
      files.size.toLong,
      listed.leftOut,
      bytes = files.iterator.map(_.length).sum,
      sample = Some { sample =>
        found(sample.indices(files.size).map(files)).coalesce(sample.tasks)
      },
    )
  }

  /** The files of a folder or glob, in the columns of a packed table. */
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
          "--delimiter and --encoding are for tables, whose names end with .csv, .tsv or .parquet."),
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
    val summary = listed.summary(request.filter)
    if (listed.files.isEmpty) throw noImages(request, summary)
    summary.foreach(line => System.err.println(s"sightline: ${request.images}: $line"))
    request.replaces.foreach(_.requireWithout(listed.files, hadoop))
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

  private def noImages(request: ImageRequest, leftOut: Option[String]): SightlineException =
    SightlineException(
      "NO_IMAGES",
      "location" -> request.images,
      "hint" -> leftOut.getOrElse("Give a folder, a glob or a table that contains images."),
    )
}
