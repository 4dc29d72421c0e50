package sightline.source

import org.apache.spark.sql.functions.{col, octet_length}
import org.apache.spark.sql.{DataFrame, SparkSession}

/**
 * Images and what is known of them as one Parquet table: a collection of small files is read many
 * times faster from it than file by file.
 */
object PackedImages {

  /** Small enough that a slot need not wait for another's; a page header costs next to nothing. */
  private val RowGroupBytes = 2L << 20

  private val WriteOptions = Map(
    // JPEG does not shrink, and what is not compressed is read without a copy.
    "compression" -> "none",
    "parquet.enable.dictionary#content" -> "false",
    "parquet.block.size" -> RowGroupBytes.toString,
    "parquet.page.size" -> RowGroupBytes.toString,
    // By default Parquet first looks at its size after 100 rows, which may be a gigabyte.
    "parquet.page.size.row.check.min" -> "1",
  )

  /**
   * The rows of the table, of which no file is opened yet.
   *
   * A folder gives `path, relative_path, length, modification_time, label, content, error`; a table
   * its own columns, then `path, label, label_id, length, content, error`; its own `length`, which
   * may be another one, is `input_length`.
   *
   * @throws SightlineException as [[ImageInput.open]]
   */
  def open(spark: SparkSession, request: ImageRequest): ImageInput =
    if (TableFile.is(request.images)) {
      val input = ImageInput.open(spark, request)
      ImageInput(named(input.rows), input.count)
    } else ImageInput.listed(spark, request)

  /** Writes Parquet of small row groups, so that any number of tasks can share it evenly. */
  def write(rows: DataFrame, folder: String): Unit =
    rows.write.options(WriteOptions).parquet(folder)

  private def named(rows: DataFrame): DataFrame = {
    val own = rows.columns.toSeq.filterNot(Columns.OfWorker)
    val names = OwnColumns.names(own, Set(Columns.Length))
    rows.select(
      own.zip(names).map { case (from, to) => Columns.quoted(from).as(to) } ++ Seq(
        octet_length(col(Columns.WorkerContent)).cast("bigint").as(Columns.Length),
        col(Columns.WorkerContent).as(Columns.Content),
        col(Columns.WorkerError).as(Columns.Error),
      ): _*
    )
  }
}
