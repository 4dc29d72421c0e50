package org.apache.spark.sql.sightline

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.classic.ClassicConversions.castToImpl

/** The cached data of a session. */
object CachedData {

  /** The plan with its cached parts replaced by reads of the cache, as Spark runs it. */
  def in(spark: SparkSession, plan: LogicalPlan): LogicalPlan =
    castToImpl(spark).sharedState.cacheManager.useCachedData(plan)
}
