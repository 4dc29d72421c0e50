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
   */
  def apply[A](
      spark: SparkSession,
      watch: Stopwatch,
      stage: String,
      total: Long,
      rows: DataFrame,
  )(use: DataFrame => A): A = {
    val counts = RowCounts.register(spark, codes = Nil)
    val progress = Progress.start(spark, stage, total, counts, "rows")
    try watch(stage)(use(RowTally(rows, Columns.Error, counts)))
    finally progress.stop(spark)
  }
}
