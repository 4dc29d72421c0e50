package sightline.train

import scala.jdk.CollectionConverters.*

import org.apache.spark.sql.functions.{broadcast, coalesce, col, count, lit}
import org.apache.spark.sql.types.{IntegerType, StringType, StructType}
import org.apache.spark.sql.{Column, DataFrame, Row, SparkSession}
import org.apache.spark.storage.StorageLevel

import sightline.SightlineException
import sightline.report.WrittenRows
import sightline.source.{Columns, ImageInput, SplitImages, TableFile}

/**
 * The table of samples: one row `path, label, class_id, part` for each listed image, without its bytes.
 *
 * @param rows kept in memory and on the disks until [[close]]
 * @param labels the label of each class
 * @param input the listed images
 */
final class SampleTable private (
    val rows: DataFrame,
    val labels: Seq[String],
    val input: ImageInput,
) {

  /** The listed images with their bytes or reading errors, and with `path, label`. */
  private[train] def images: DataFrame = SampleTable.withPath(input.rows)

  /** Frees the rows. */
  def close(): Unit = rows.unpersist(): Unit
}

object SampleTable {

  val ClassId = "class_id"

  private val Shown = 3L

  /**
   * Lists, labels and divides the images; opens none of them.
   *
   * @param seed of the draw
   * @throws SightlineException NO_LABELS, UNKNOWN_COLUMN, CLASSES_DIFFER, CLASS_WITHOUT_IMAGES,
   *   NO_SPLIT, EMPTY_PART, and those of [[sightline.source.ImageInput.open]]
   */
  def open(spark: SparkSession, source: SampleSource, seed: Long): SampleTable = {
    val input = list(spark, source)
    source.groupColumn.foreach(requireColumn(_, input.rows, source))
    val group = source.groupColumn.map(Columns.quoted)
    val known =
      if (source.shares.byFolders) Columns.quoted(Columns.Split)
      else lit(None.orNull).cast("string")
    val described = withPath(input.rows).select(
      col(Columns.Path),
      col(Columns.Label),
      SplitSamples.key(group, name(input, source)).as(SplitSamples.Key),
      known.as(SplitSamples.Known),
    )
    val labels = ClassNames.of(found(described, source), source.classes, source.classNames)
    val ids = classIds(spark, labels)
    val divided = SplitSamples(described, source.shares, seed)
    val rows = divided
      .join(broadcast(ids), Columns.Label)
      .select(Columns.Path, Columns.Label, ClassId, SplitSamples.Part)
      .persist(StorageLevel.MEMORY_AND_DISK)
    try {
      requireClasses(rows, labels, input.count)
      new SampleTable(rows, labels, input)
    } catch {
      case error: Throwable =>
        rows.unpersist(): Unit
        throw error
    }
  }

  /** The class id of each label. */
  private[train] def classIds(spark: SparkSession, labels: Seq[String]): DataFrame = {
    val schema = new StructType().add(Columns.Label, StringType).add(ClassId, IntegerType)
    val rows = labels.zipWithIndex.map { case (label, id) => Row(label, id) }
    spark.createDataFrame(rows.asJava, schema)
  }

  private def list(spark: SparkSession, source: SampleSource): ImageInput =
    if (source.frame.isDefined) source.frame.get
    else if (!source.shares.byFolders) ImageInput.open(spark, source.images)
    else {
      val parts = SplitImages.open(spark, source.images).map(_.input)
      parts.head.copy(
        rows = parts.map(_.rows).reduce(_.unionByName(_)),
        count = parts.map(_.count).sum,
      )
    }

  /**
   * What the draw knows of an image: its path below the listed folder, so that a copy of the folder is
   * divided alike; its path in a table.
   */
  private def name(input: ImageInput, source: SampleSource): Column = {
    val isListed = source.frame.isEmpty && !TableFile.is(source.images.images) &&
      input.rows.columns.contains(Columns.RelativePath)
    col(if (isListed) Columns.RelativePath else Columns.Path)
  }

  /** A row without a path gives the error NOT_FOUND when it is read. */
  private def withPath(rows: DataFrame): DataFrame =
    rows.withColumn(Columns.Path, coalesce(col(Columns.Path), lit("")))

  private def requireColumn(name: String, rows: DataFrame, source: SampleSource): Unit = {
    val known = rows.columns.toSeq.filterNot(Columns.OfWorker)
    if (!known.contains(name)) {
      throw SightlineException(
        "UNKNOWN_COLUMN",
        "table" -> source.images.images,
        "column" -> name,
        "known" -> known,
        "hint" -> "Set it by --group-column.",
      )
    }
  }

  /** The labels of the images; each image must have one. */
  private def found(rows: DataFrame, source: SampleSource): Seq[String] = {
    val counts = rows.groupBy(Columns.Label).agg(count(lit(1))).collect()
    val (bare, named) = counts.partition(row => row.isNullAt(0) || row.getString(0).isEmpty)
    if (bare.nonEmpty) {
      val images = source.images.images
      val shown = rows
        .where(coalesce(col(Columns.Label), lit("")) === "")
        .select(Columns.Path)
        .orderBy(Columns.Path)
        .limit(Shown.toInt)
        .collect()
        .map(_.getString(0))
      throw SightlineException(
        "NO_LABELS",
        "detail" -> (s"${bare.map(_.getLong(1)).sum} of ${counts.map(_.getLong(1)).sum} images of " +
          s"$images have no label (${shown.mkString(", ")}). Put each image into a folder with the " +
          "name of its class, or give a table with a column of labels: --label-column."),
      )
    }
    named.map(_.getString(0)).toSeq
  }

  /** Checks, before an image is opened, that each class has training images and no row is missing. */
  private def requireClasses(rows: DataFrame, labels: Seq[String], images: Long): Unit = {
    val counts = rows
      .groupBy(SplitSamples.Part, ClassId)
      .agg(count(lit(1)))
      .collect()
      .map(row => (row.getString(0), row.getInt(1)) -> row.getLong(2))
      .toMap
    WrittenRows.check(images, counts.values.sum)
    val empty = labels.zipWithIndex.collect {
      case (label, id) if !counts.contains((SplitSamples.Train, id)) => label
    }
    if (empty.size == labels.size) {
      throw SightlineException("EMPTY_PART", "detail" -> "no image is in the training part.")
    }
    if (empty.nonEmpty) throw ClassNames.withoutImages(empty)
  }

  /** The folder that relative paths of a table start from; listed files have complete paths. */
  private[train] def root(spark: SparkSession, source: SampleSource): String =
    if (TableFile.is(source.images.images)) {
      TableFile.root(spark, source.images.images, source.images.table.root)
    } else "/"
}
