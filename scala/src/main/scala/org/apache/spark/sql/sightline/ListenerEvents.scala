package org.apache.spark.sql.sightline

import java.util.concurrent.TimeoutException

import org.apache.spark.sql.SparkSession

/** Spark tells its listeners late, on a thread of their own. */
object ListenerEvents {

  private val PatienceMillis = 60000L

  /**
   * Returns when listeners have heard of all that happened before this call, or after a minute: what
   * they have not heard by then is only told, and must not cost the run.
   */
  def deliver(spark: SparkSession): Unit =
    try spark.sparkContext.listenerBus.waitUntilEmpty(PatienceMillis)
    catch { case _: TimeoutException => () }
}
