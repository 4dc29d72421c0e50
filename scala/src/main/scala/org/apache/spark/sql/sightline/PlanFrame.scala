package org.apache.spark.sql.sightline

import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.classic.ClassicConversions.castToImpl
import org.apache.spark.sql.classic.Dataset
import org.apache.spark.sql.{DataFrame, SparkSession}

/** Converts between frames of Spark's public API and logical plans. */
object PlanFrame {

  /** A frame over a logical plan; Spark analyses, normalises and optimises it like any query. */
  def apply(spark: SparkSession, plan: LogicalPlan): DataFrame =
    Dataset.ofRows(castToImpl(spark), plan)

  /** The frame's analysed plan. */
  def plan(frame: DataFrame): LogicalPlan = castToImpl(frame).logicalPlan

  /** The number of partitions of the frame when it runs. */
  def partitions(frame: DataFrame): Int = castToImpl(frame).queryExecution.toRdd.getNumPartitions
}
