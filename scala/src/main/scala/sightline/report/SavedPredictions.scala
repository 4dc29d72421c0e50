package sightline.report

import scala.util.Try

import org.apache.hadoop.fs.Path
import org.apache.spark.SparkException
import org.apache.spark.sql.{AnalysisException, DataFrame, SparkSession}
import org.json4s.{JString, jvalue2monadic}

import sightline.SightlineException
import sightline.source.Columns

/** Reads what `predict` wrote, in whichever format. */
object SavedPredictions {

  /**
   * @param folder the `--output` of `predict`
   * @param format its format, when the caller says so; else what is found in the folder
   * @throws SightlineException PATH_NOT_FOUND or NOT_PREDICTIONS
   */
  def read(spark: SparkSession, folder: String, format: Option[String]): DataFrame = {
    val path = new Path(folder)
    val hadoop = spark.sessionState.newHadoopConf()
    if (!path.getFileSystem(hadoop).exists(path)) {
      throw SightlineException(
        "PATH_NOT_FOUND",
        "path" -> folder,
        "reason" -> "does not exist",
        "hint" -> "Give the --output of a `predict` run.",
      )
    }
    val record = RunRecord.read(new Path(path, RunRecord.InDataFolder), hadoop)
    val recorded = Option(record \ "format").collect { case JString(name) => name }
    val rows = Try(
      OutputFormat.parse(format.orElse(recorded).getOrElse("parquet")).read(spark, folder)
    ).recover { case error @ (_: AnalysisException | _: SparkException) =>
      throw notPredictions(folder, error.getMessage)
    }.get
    val missing =
      Seq(Columns.Path, Columns.Prediction, Columns.Error).filterNot(rows.columns.contains)
    if (missing.nonEmpty)
      throw notPredictions(folder, s"it has no column ${missing.mkString(", ")}")
    rows
  }

  private def notPredictions(folder: String, why: String): SightlineException =
    SightlineException("NOT_PREDICTIONS", "folder" -> folder, "reason" -> why.linesIterator.next())
}
