package sightline.source

import java.util.Locale

import org.apache.hadoop.fs.Path
import org.apache.spark.SparkException
import org.apache.spark.sql.sightline.FilesFrame
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.{AnalysisException, DataFrame, SparkSession}

import sightline.SightlineException

/** CSV and Parquet tables that list images. */
object ImageTableFile {

  /** Whether `location` names a table, by its ending. */
  def is(location: String): Boolean = format(location).isDefined

  /** The table; every column of a CSV is text, as written, so that `007` stays `007`. */
  def read(spark: SparkSession, location: String): DataFrame = {
    val path = new Path(location)
    if (!path.getFileSystem(spark.sessionState.newHadoopConf()).exists(path)) {
      throw SightlineException(
        "PATH_NOT_FOUND",
        "path" -> location,
        "reason" -> "does not exist",
        "hint" -> "Give a folder, a glob, or a .csv or .parquet table.",
      )
    }
    format(location) match {
      case Some("csv") =>
        spark.read
          .options(Map("header" -> "true", "escape" -> "\"", "multiLine" -> "true"))
          .csv(location)
      case _ => parquet(spark, location)
    }
  }

  /**
   * A Parquet table for its images' bytes, in about `partitions` parts: Spark itself would put a few
   * thousand photographs into one.
   *
   * @param schema of the table, which is known by now
   */
  def split(
      spark: SparkSession,
      location: String,
      schema: StructType,
      partitions: Long,
  ): DataFrame =
    FilesFrame(
      spark,
      Map(
        "spark.sql.files.minPartitionNum" -> partitions.toString,
        "spark.sql.files.maxPartitionBytes" -> PartitionPlan.MaxBytes.toString,
        // Opening a file of a table costs little, and must not fill a task that reads a few.
        "spark.sql.files.openCostInBytes" -> (64L << 10).toString,
        // A column of so many photographs is held at once, and 4,096 of them are 200 MB a task.
        "spark.sql.parquet.columnarReaderBatchSize" -> "256",
      ),
    )(_.read.schema(schema).parquet(location))

  private def parquet(spark: SparkSession, location: String): DataFrame =
    try spark.read.parquet(location)
    catch {
      case error @ (_: SparkException | _: AnalysisException) =>
        val why = error.getMessage.linesIterator.next()
        throw SightlineException(
          "BAD_TABLE",
          "table" -> location,
          "reason" -> s"it is no Parquet table ($why)",
        )
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

  private def format(location: String): Option[String] =
    Seq("csv", "parquet").find { ending =>
      location.stripSuffix("/").toLowerCase(Locale.ROOT).endsWith(s".$ending")
    }
}
