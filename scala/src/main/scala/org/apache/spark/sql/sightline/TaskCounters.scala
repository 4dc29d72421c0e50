package org.apache.spark.sql.sightline

/**
 * The counters that a Python worker has sent at its end, until the operator that runs it takes them.
 *
 * Spark reads them in the task's thread, just before the operator sees the end of its rows. So an
 * operator above another one in the same task takes only its own.
 */
object TaskCounters {

  private val sent = new ThreadLocal[Map[String, Double]]

  def put(counters: Map[String, Double]): Unit = sent.set(counters)

  /** The counters, which are removed; empty if none were sent. */
  def take(): Map[String, Double] = {
    val found = Option(sent.get).getOrElse(Map.empty[String, Double])
    sent.remove()
    found
  }
}
