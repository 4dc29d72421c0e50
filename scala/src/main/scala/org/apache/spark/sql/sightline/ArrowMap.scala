package org.apache.spark.sql.sightline

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.catalyst.plans.logical.MapInArrow
import org.apache.spark.sql.catalyst.types.DataTypeUtils.toAttributes
import org.apache.spark.sql.types.StructType

/** A frame of the rows that a Python worker returns for the rows of another frame. */
object ArrowMap {

  /**
   * Sends whole partitions through the worker.
   *
   * @param name the name of the function for EXPLAIN
   * @param output the columns that the worker returns
   * @param isBarrier whether Spark starts the tasks of all partitions together, and all again if one
   *   fails
   */
  def apply(
      rows: DataFrame,
      worker: PythonWorker,
      name: String,
      output: StructType,
      isBarrier: Boolean = false,
  ): DataFrame = {
    val plan = PlanFrame.plan(rows)
    val mapped = MapInArrow(
      worker.mapper(name, output, plan.output),
      toAttributes(output),
      plan,
      isBarrier = isBarrier,
      profile = None,
    )
    PlanFrame(rows.sparkSession, mapped)
  }
}
