package org.apache.spark.sql.sightline

import java.util.concurrent.atomic.AtomicReference

import org.apache.spark.util.AccumulatorV2

/** Counts rows by error code; any code counts, also one that only a table of the user has. */
final private[sightline] class CodeCounts extends AccumulatorV2[String, Map[String, Long]] {

  // An immutable map, because a heartbeat serializes it while the task adds.
  private val counts = new AtomicReference(Map.empty[String, Long])

  override def isZero: Boolean = value.isEmpty
  override def reset(): Unit = counts.set(Map.empty)
  override def add(code: String): Unit = increase(code, 1)
  override def value: Map[String, Long] = counts.get

  override def copy(): CodeCounts = {
    val same = new CodeCounts
    same.counts.set(value)
    same
  }

  override def merge(other: AccumulatorV2[String, Map[String, Long]]): Unit =
    other.value.foreach { case (code, rows) => increase(code, rows) }

  private def increase(code: String, rows: Long): Unit =
    counts.updateAndGet(now => now.updated(code, now.getOrElse(code, 0L) + rows)): Unit
}
