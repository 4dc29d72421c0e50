package org.apache.spark.sql.sightline

import java.util.concurrent.atomic.AtomicReference

import org.apache.spark.sql.Row
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.connector.metric.CustomTaskMetric
import org.apache.spark.sql.connector.read.PartitionReader
import org.apache.spark.unsafe.types.UTF8String

/** Rows in Spark's internal form. */
private[sightline] object InternalRows {

  /** The row with its texts and structs converted; other values must be in the internal form. */
  def of(row: Row): InternalRow = InternalRow.fromSeq(row.toSeq.map {
    case text: String => UTF8String.fromString(text)
    case struct: Row => of(struct)
    case other => other
  })
}

/**
 * Reads the rows of one partition of a data source.
 *
 * @param rows values that [[InternalRows.of]] takes: a timestamp is a Long in microseconds
 * @param metrics the current values of the task's metrics
 */
final class RowReader(rows: Iterator[Row], metrics: () => Array[CustomTaskMetric])
    extends PartitionReader[InternalRow] {

  private val current = new AtomicReference[InternalRow]

  override def next(): Boolean = {
    val more = rows.hasNext
    if (more) current.set(InternalRows.of(rows.next()))
    more
  }

  override def get(): InternalRow = current.get

  override def currentMetricsValues(): Array[CustomTaskMetric] = metrics()

  override def close(): Unit = ()
}
