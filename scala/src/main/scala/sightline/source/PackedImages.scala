package sightline.source

import org.apache.spark.sql.SaveMode.Append
import org.apache.spark.sql.functions.{col, octet_length}
import org.apache.spark.sql.{DataFrame, SparkSession}

import sightline.ObjectStore

/**
 * Images with their metadata in one Parquet table, which is read many times faster than a collection of
 * small files.
 */
object PackedImages {

  /** Small enough to distribute a table evenly over tasks; the overhead per row group is negligible. */
  private val RowGroupBytes = 2L << 20

  private val WriteOptions = Map(
    // Compression does not make JPEGs smaller, and uncompressed pages are read without a copy.
    "compression" -> "none",
    "parquet.enable.dictionary#content" -> "false",
    "parquet.block.size" -> RowGroupBytes.toString,
    "parquet.page.size" -> RowGroupBytes.toString,
    // By default Parquet checks the page size after 100 rows, which may be a gigabyte.
    "parquet.page.size.row.check.min" -> "1",
  )

  /**
   * The rows of the table; no file is opened yet.
   *
   * A folder gives `path, relative_path, length, modification_time, label, content, error`. A table
   * gives its own columns, then `path, label, label_id, length, content, error`; its own column
   * `length`, which may have another meaning, becomes `input_length`.
   *
   * @throws SightlineException as [[ImageInput.open]]
   */
  def open(spark: SparkSession, request: ImageRequest): ImageInput =
    if (TableFile.is(request.images)) {
      val input = ImageInput.open(spark, request)
      ImageInput(named(input.rows), input.count)
    } else ImageInput.listed(spark, request)

  /**
   * Writes Parquet with small row groups, so that it can be divided evenly among tasks.
   *
   * @param folder fully qualified; it may exist in an object store, where its owner file is in it
   */
  def write(rows: DataFrame, folder: String): Unit = {
    val hadoop = rows.sparkSession.sessionState.newHadoopConf()
    rows.write
      .mode(Append)
      .options(WriteOptions ++ ObjectStore.writeOptions(folder, hadoop))
      .parquet(folder)
  }

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
