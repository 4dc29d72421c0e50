package org.apache.spark.sql.sightline

import org.apache.spark.sql.SparkSession
import org.apache.spark.util.LongAccumulator

/**
 * How many rows and errors a [[RowTally]] has seen, exactly: each task's part comes with its result and
 * is added once, also where tasks are retried. Spark's listeners would not do, for they miss events
 * under load.
 *
 * @param codes the error codes that are counted, each by itself
 */
final class RowCounts private (
    val codes: Seq[String],
    total: LongAccumulator,
    tasksWithRows: LongAccumulator,
    byCode: Map[String, LongAccumulator],
) extends Serializable {

  def rows: Long = total.sum

  /** How many tasks have had rows. */
  def tasks: Long = tasksWithRows.sum

  /** Rows by error code, without those that did not occur. */
  def errors: Map[String, Long] =
    byCode.collect { case (code, count) if count.sum > 0 => code -> count.sum }

  private[sightline] def addTask(): Unit = tasksWithRows.add(1L)
  private[sightline] def addRow(): Unit = total.add(1L)
  private[sightline] def addError(code: String): Unit = byCode.get(code).foreach(_.add(1L))
}

object RowCounts {

  def register(spark: SparkSession, codes: Seq[String]): RowCounts = {
    def counter(): LongAccumulator = {
      val counter = new LongAccumulator
      spark.sparkContext.register(counter)
      counter
    }
    new RowCounts(codes, counter(), counter(), codes.map(_ -> counter()).toMap)
  }
}
