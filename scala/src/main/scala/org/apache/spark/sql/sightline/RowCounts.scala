package org.apache.spark.sql.sightline

import org.apache.spark.sql.SparkSession
import org.apache.spark.util.LongAccumulator

/**
 * The exact numbers of rows and errors that a [[RowTally]] counted. Spark adds a task's accumulators once,
 * with the task's result, even if the task is retried. Listeners, in contrast, can lose events under load.
 *
 * @param codes the error codes that are counted
 */
final class RowCounts private (
    val codes: Seq[String],
    total: LongAccumulator,
    tasksWithRows: LongAccumulator,
    byCode: Map[String, LongAccumulator],
) extends Serializable {

  /** The number of rows. */
  def rows: Long = total.sum

  /** The number of tasks that had rows. */
  def tasks: Long = tasksWithRows.sum

  /** The number of rows by error code, without codes that did not occur. */
  def errors: Map[String, Long] =
    byCode.collect { case (code, count) if count.sum > 0 => code -> count.sum }

  private[sightline] def addTask(): Unit = tasksWithRows.add(1L)
  private[sightline] def addRow(): Unit = total.add(1L)
  private[sightline] def addError(code: String): Unit = byCode.get(code).foreach(_.add(1L))
}

object RowCounts {

  /** Creates counts and registers their accumulators. */
  def register(spark: SparkSession, codes: Seq[String]): RowCounts = {
    def counter(): LongAccumulator = {
      val counter = new LongAccumulator
      spark.sparkContext.register(counter)
      counter
    }
    new RowCounts(codes, counter(), counter(), codes.map(_ -> counter()).toMap)
  }
}
