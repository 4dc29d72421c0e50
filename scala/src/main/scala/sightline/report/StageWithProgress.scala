package sightline.report

import org.apache.spark.sql.sightline.{RowCounts, RowTally}
import org.apache.spark.sql.{DataFrame, SparkSession}

import sightline.source.Columns

/** Runs a timed stage over rows and prints its progress. */
object StageWithProgress {

  /**
   * Runs a stage.
   *
   * @param stage the stage's name in the run's record
   * @param total the expected number of rows; a row that is read in two passes counts twice
   * @param rows rows with a column `error`
   * @param codes the error codes to count
   * @param unit the name of a row in the plural
   */
  def apply[A](
      spark: SparkSession,
      watch: Stopwatch,
      stage: String,
      total: Long,
      rows: DataFrame,
      codes: Seq[String] = Nil,
      unit: String = "rows",
  )(use: DataFrame => A): A = {
    val counts = RowCounts.register(spark, codes)
    val progress = Progress.start(spark, stage, total, counts, unit)
    try watch(stage)(use(RowTally(rows, Columns.Error, counts)))
    finally progress.stop(spark)
  }
}
