package org.apache.spark.sql.sightline

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.classic.ClassicConversions.castToImpl
import org.apache.spark.sql.classic.Dataset

/**
 * Counts rows and their errors: in metrics for Spark's UI and listeners during the run, and exactly in
 * [[RowCounts]].
 */
object RowTally {

  /** The name of the metric of all rows. */
  val Rows = "sightline rows"

  /** The name of the metric of rows with an error code. */
  def errors(code: String): String = s"sightline errors $code"

  /**
   * A frame with the same rows, which counts them when it runs.
   *
   * @param rows a frame with a column `errorColumn` of type `struct<code string, …>`
   * @param counts the counts to add to; each of its codes has a metric. If it counts labels, the frame
   *   has their columns
   */
  def apply(rows: DataFrame, errorColumn: String, counts: RowCounts): DataFrame = {
    val classic = castToImpl(rows)
    Dataset.ofRows(
      classic.sparkSession,
      RowTallyPlan(errorColumn, counts, classic.logicalPlan),
    )
  }
}
