package sightline.source

import java.net.URI
import java.util.Locale

import org.apache.hadoop.fs.Path
import org.apache.spark.sql.sightline.ParquetSize
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.{Column, DataFrame, SparkSession}

import sightline.SightlineException

/**
 * An opened CSV or Parquet table of images.
 *
 * @param rows the table's columns, and auxiliary columns
 * @param names the names of the table's columns
 * @param problem a description of an invalid row; null for valid rows
 * @param explain returns the error of a description; None if the row is valid nevertheless
 * @param hint a sentence for the error of a missing column
 * @param rowKey returns the table with the auxiliary column `RowKey`, a unique key for each row
 * @param classNames returns the names of a column's classes; empty if they are not known
 * @param size returns the rows and bytes without reading the rows; None if the files do not store them
 * @param split returns the rows in partitions, for tables of images' bytes
 */
final private[source] case class TableFile(
    rows: DataFrame,
    names: Seq[String],
    problem: Column,
    explain: String => Option[SightlineException] = _ => None,
    hint: Option[String] = None,
    rowKey: Option[() => TableFile] = None,
    classNames: Seq[String] => Seq[String] = _ => Nil,
    size: () => Option[ParquetSize] = () => None,
    split: Option[SplitRows => DataFrame] = None,
) {

  /** The table with the auxiliary column `RowKey`, if it supports one. */
  def withRowKey: TableFile = rowKey.fold(this)(_())

  def schema: StructType = StructType(names.map(rows.schema(_)))
}

/**
 * How a table of images' bytes is divided.
 *
 * @param partitions the number of partitions, about
 * @param readAhead the number of rows that a task reads at a time, whether they are used or not
 */
final private[source] case class SplitRows(partitions: Long, readAhead: Int = SplitRows.ReadAhead)

private[source] object SplitRows {

  // The reader keeps them in memory, and Spark's 4,096 photographs are 200 MB for a task.
  private val ReadAhead = 256
}

object TableFile {

  private[source] val RowKey = "__row_key"

  private val Endings = Seq("csv", "tsv", "parquet")

  /** Whether the ending of `location` is that of a table. */
  def is(location: String): Boolean = format(location).isDefined

  def isParquet(location: String): Boolean = format(location).contains("parquet")

  /** @throws SightlineException PATH_NOT_FOUND, BAD_TABLE, or WRONG_ARGUMENTS for a CSV's options */
  private[source] def open(
      spark: SparkSession,
      location: String,
      dialect: CsvDialect,
  ): TableFile = {
    ExistingPath.require(
      spark,
      location,
      "Give a folder, a glob, or a .csv, .tsv or .parquet table.",
    )
    if (!isParquet(location)) CsvTable.open(spark, location, dialect)
    else if (dialect == CsvDialect()) ParquetTable.open(spark, location)
    else {
      throw SightlineException(
        "WRONG_ARGUMENTS",
        "subject" -> location,
        "reason" -> "--delimiter and --encoding are for CSV tables, and this table is Parquet.",
      )
    }
  }

  /**
   * The folder that the table's relative paths start from, fully qualified, because executors have
   * other working folders.
   *
   * @param named the folder that the user gave; None: the folder that contains the table
   * @throws SightlineException PATH_NOT_FOUND
   */
  def root(spark: SparkSession, location: String, named: Option[String]): String = {
    named.foreach {
      ExistingPath.require(
        spark,
        _,
        "Set the folder that the table's relative paths start from by --root.",
      )
    }
    val hadoop = spark.sessionState.newHadoopConf()
    def qualified(text: String): Path = {
      val path = new Path(text)
      path.getFileSystem(hadoop).makeQualified(path)
    }
    named.fold(qualified(location).getParent)(qualified).toString
  }

  /**
   * The files of a table, sorted by name.
   *
   * @param below whether to include files in subfolders that are not partitions `column=value`
   */
  private[source] def files(spark: SparkSession, location: String, below: Boolean): Seq[Path] =
    spark.read
      .option(Recursive, below.toString)
      .schema(new StructType().add("none", "string"))
      .parquet(location)
      .inputFiles
      .toSeq
      .map(file => new Path(new URI(file)))
      .sorted

  /** Spark's option that includes all subfolders and disables the discovery of partitions. */
  private[source] val Recursive = "recursiveFileLookup"

  private[source] def bad(location: String, why: String): SightlineException =
    SightlineException("BAD_TABLE", "table" -> location, "reason" -> why)

  private def format(location: String): Option[String] =
    Endings.find(ending => location.stripSuffix("/").toLowerCase(Locale.ROOT).endsWith(s".$ending"))
}
