package sightline.source

import java.net.URI
import java.util.Locale

import org.apache.hadoop.fs.Path
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.{Column, DataFrame, SparkSession}

import sightline.SightlineException

/**
 * A CSV or Parquet table that lists images, opened.
 *
 * @param rows its columns, and others that only the reading of it knows
 * @param names of its own columns among them
 * @param problem a text for a row that cannot be taken as it is, null for others
 * @param explain the error that such a text stands for; None if it is none after all
 * @param hint a sentence for whoever misses a column
 * @param rowKey with a column beside that names each row, for a table that names no files
 * @param classNames of a column of class numbers, by its path; empty where nothing names them
 * @param split the same rows in about so many partitions, for tables of images' bytes
 */
final private[source] case class TableFile(
    rows: DataFrame,
    names: Seq[String],
    problem: Column,
    explain: String => Option[SightlineException] = _ => None,
    hint: Option[String] = None,
    rowKey: Option[() => TableFile] = None,
    classNames: Seq[String] => Seq[String] = _ => Nil,
    split: Option[Long => DataFrame] = None,
) {

  /** The table with a column `RowKey` in its rows; reading it costs a column more. */
  def withRowKey: TableFile = rowKey.fold(this)(_())

  def schema: StructType = StructType(names.map(rows.schema(_)))
}

object TableFile {

  private[source] val RowKey = "__row_key"

  private val Endings = Seq("csv", "tsv", "parquet")

  /** Whether `location` names a table, by its ending. */
  def is(location: String): Boolean = format(location).isDefined

  def isParquet(location: String): Boolean = format(location).contains("parquet")

  /** @throws SightlineException PATH_NOT_FOUND, BAD_TABLE, or WRONG_ARGUMENTS for a CSV's options */
  private[source] def open(
      spark: SparkSession,
      location: String,
      dialect: CsvDialect,
  ): TableFile = {
    val path = new Path(location)
    if (!path.getFileSystem(spark.sessionState.newHadoopConf()).exists(path)) {
      throw SightlineException(
        "PATH_NOT_FOUND",
        "path" -> location,
        "reason" -> "does not exist",
        "hint" -> "Give a folder, a glob, or a .csv, .tsv or .parquet table.",
      )
    }
    if (!isParquet(location)) CsvTable.open(spark, location, dialect)
    else if (dialect == CsvDialect()) ParquetTable.open(spark, location)
    else {
      throw SightlineException(
        "WRONG_ARGUMENTS",
        "subject" -> location,
        "reason" -> "--delimiter and --encoding are for CSV tables, and this is Parquet.",
      )
    }
  }

  /**
   * Where the table's relative paths start, fully qualified, since executors work elsewhere.
   *
   * @param named a folder that was named for it; by default the folder that the table lies in
   * @throws SightlineException PATH_NOT_FOUND
   */
  def root(spark: SparkSession, location: String, named: Option[String]): String = {
    val path = named.fold(new Path(location))(new Path(_))
    val fs = path.getFileSystem(spark.sessionState.newHadoopConf())
    val qualified = fs.makeQualified(path)
    if (named.isDefined && !fs.exists(path)) {
      throw SightlineException(
        "PATH_NOT_FOUND",
        "path" -> path,
        "reason" -> "does not exist",
        "hint" -> "Give the folder that the table's paths start from as --root.",
      )
    }
    (if (named.isDefined) qualified else qualified.getParent).toString
  }

  /**
   * The files of a table, by name: one, or those of a folder.
   *
   * @param below whether folders in it count too, where they are no partitions `column=value`
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

  /** Spark's option, with which it takes no folder for a partition. */
  private[source] val Recursive = "recursiveFileLookup"

  private[source] def bad(location: String, why: String): SightlineException =
    SightlineException("BAD_TABLE", "table" -> location, "reason" -> why)

  private def format(location: String): Option[String] =
    Endings.find(ending => location.stripSuffix("/").toLowerCase(Locale.ROOT).endsWith(s".$ending"))
}
