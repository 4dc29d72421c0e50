package org.apache.spark.sql.sightline

import org.apache.spark.sql.SparkSession
import org.apache.spark.util.LongAccumulator

/**
 * The exact numbers of rows and errors that a [[RowTally]] counted. Spark adds a task's accumulators once,
 * with the task's result, even if the task is retried. Listeners, in contrast, can lose events under load.
 *
 * @param codes the error codes that have a metric; errors with other codes are counted too
 * @param labels the counts of true labels; None: they are not counted
 */
final class RowCounts private (
    val codes: Seq[String],
    val labels: Option[LabelCounts],
    total: LongAccumulator,
    tasksWithRows: LongAccumulator,
    byCode: CodeCounts,
) extends Serializable {

  /** The number of rows. */
  def rows: Long = total.sum

  /** The number of tasks that had rows. */
  def tasks: Long = tasksWithRows.sum

  /** The number of rows by error code, without codes that did not occur. */
  def errors: Map[String, Long] = byCode.value

  private[sightline] def addTask(): Unit = tasksWithRows.add(1L)
  private[sightline] def addRow(): Unit = total.add(1L)
  private[sightline] def addError(code: String): Unit = byCode.add(code)
}

object RowCounts {

  /** Creates counts and registers their accumulators. */
  def register(
      spark: SparkSession,
      codes: Seq[String],
      labels: Option[LabelCounts] = None,
  ): RowCounts = {
    val context = spark.sparkContext
    val byCode = new CodeCounts
    context.register(byCode)
    new RowCounts(codes, labels, context.longAccumulator, context.longAccumulator, byCode)
  }
}
