package sightline.cli

import org.apache.spark.sql.sightline.{RowCounts, RowTally}
import org.apache.spark.sql.{DataFrame, SparkSession}

import sightline.report.{Progress, Stopwatch}
import sightline.source.Columns

/** A timed stage of a run over rows, which tells how far it is. */
object RowProgress {

  /**
   * @param total how many rows pass, counted again in each pass
   * @param rows with a column `error`
   * @param stage name of the stage in the run's record
   * @param codes the error codes that are counted
   * @param unit what a row is called
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
