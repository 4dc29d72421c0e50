package org.apache.spark.sql.sightline

import org.apache.spark.sql.SparkSession

/** Spark tells its listeners late, on a thread of their own. */
object ListenerEvents {

  /** Returns when listeners have heard of all that happened before this call. */
  def deliver(spark: SparkSession): Unit = spark.sparkContext.listenerBus.waitUntilEmpty()
}
