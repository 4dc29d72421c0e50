package org.apache.spark.sql.sightline

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.catalyst.plans.logical.MapInArrow
import org.apache.spark.sql.catalyst.types.DataTypeUtils.toAttributes
import org.apache.spark.sql.types.StructType

/** Runs a worker on whole partitions, in a plan without Sightline's optimizer rules. */
object BulkFrame {
  def apply(worker: PythonWorker, input: DataFrame, output: StructType): DataFrame = {
    val plan = PlanFrame.plan(input)
    val udf = worker.mapper("by_hand", output, plan.output)
    PlanFrame(
      input.sparkSession,
      MapInArrow(udf, toAttributes(output), plan, isBarrier = false, profile = None),
    )
  }
}
