package org.apache.spark.sql.sightline

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.classic.ClassicConversions.castToImpl
import org.apache.spark.sql.execution.CacheManager

/** The cached data of a session. */
object CachedData {

  /** The plan with its cached parts replaced by reads of the cache, as Spark runs it. */
  def in(spark: SparkSession, plan: LogicalPlan): LogicalPlan =
    manager(spark).useCachedData(plan)

  def isEmpty(spark: SparkSession): Boolean = manager(spark).isEmpty

  /** Whether the rows of an analyzed plan are cached. */
  def contains(spark: SparkSession, plan: LogicalPlan): Boolean =
    manager(spark).lookupCachedData(castToImpl(spark), plan).isDefined

  private def manager(spark: SparkSession): CacheManager =
    castToImpl(spark).sharedState.cacheManager
}
