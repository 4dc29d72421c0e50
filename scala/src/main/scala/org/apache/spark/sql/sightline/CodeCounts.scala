package org.apache.spark.sql.sightline

import scala.collection.mutable

import org.apache.spark.util.AccumulatorV2

/** Counts rows by error code; any code counts, also one that only a table of the user has. */
final private[sightline] class CodeCounts extends AccumulatorV2[String, Map[String, Long]] {

  private val counts = mutable.Map.empty[String, Long]

  override def isZero: Boolean = counts.isEmpty
  override def reset(): Unit = counts.clear()
  override def add(code: String): Unit = increase(code, 1)
  override def value: Map[String, Long] = counts.toMap

  override def copy(): CodeCounts = {
    val same = new CodeCounts
    same.merge(this)
    same
  }

  override def merge(other: AccumulatorV2[String, Map[String, Long]]): Unit =
    other.value.foreach { case (code, rows) => increase(code, rows) }

  private def increase(code: String, rows: Long): Unit =
    counts(code) = counts.getOrElse(code, 0L) + rows
}
