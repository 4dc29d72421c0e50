package org.apache.spark.sql.sightline

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.classic.ClassicConversions.castToImpl

/** What a session has cached. */
object CachedData {

  /** The plan as Spark will run it: a part that is cached is read from there. */
  def in(spark: SparkSession, plan: LogicalPlan): LogicalPlan =
    castToImpl(spark).sharedState.cacheManager.useCachedData(plan)
}
