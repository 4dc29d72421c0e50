package org.apache.spark.sql.sightline

import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.classic.ClassicConversions.castToImpl
import org.apache.spark.sql.classic.Dataset
import org.apache.spark.sql.{DataFrame, SparkSession}

/** A frame over a logical plan, analysed, normalised and optimised as any query is. */
object PlanFrame {
  def apply(spark: SparkSession, plan: LogicalPlan): DataFrame =
    Dataset.ofRows(castToImpl(spark), plan)
}
