package org.apache.spark.sql.sightline

import org.apache.spark.executor.ExecutorMetrics
import org.apache.spark.scheduler.*
import org.apache.spark.{Success, TaskState}
import org.scalatest.funsuite.AnyFunSuite

import sightline.LocalSpark
import sightline.report.Progress

/** Creates Spark's task events, whose constructors are private to Spark's packages. */
final class ProgressEventsSuite extends AnyFunSuite with LocalSpark {

  private def event(task: Long, partition: Int): TaskInfo =
    new TaskInfo(task, partition, 0, partition, 0L, "1", "here", TaskLocality.ANY, false)

  test("a partition that runs twice, at once or one after the other, is counted once") {
    val counts = RowCounts.register(spark, Nil)
    val progress = Progress.start(spark, "p", 60, counts)
    def starts(task: Long, partition: Int): Unit =
      progress.onTaskStart(SparkListenerTaskStart(7, 0, event(task, partition)))
    def beats(task: Long, rows: Long): Unit = {
      val update = AccumulableInfo(1, Some(RowTally.Rows), Some(rows), None, false, true, None)
      progress.onExecutorMetricsUpdate(
        SparkListenerExecutorMetricsUpdate("1", Seq((task, 7, 0, Seq(update))))
      )
    }
    def ends(task: Long, partition: Int, rows: Long): Unit = {
      val info = event(task, partition)
      info.markFinished(TaskState.FINISHED, 1)
      info.setAccumulables(
        Seq(AccumulableInfo(1, Some(RowTally.Rows), Some(rows), None, false, true, None))
      )
      progress.onTaskEnd(
        SparkListenerTaskEnd(7, 0, "ResultTask", Success, info, new ExecutorMetrics, None.orNull)
      )
    }
    def rows: Long = progress.seen.getOrElse(RowTally.Rows, 0L)
    starts(1, partition = 0)
    starts(2, partition = 0)
    beats(1, rows = 10)
    beats(2, rows = 25)
    assert(rows == 25)
    ends(2, partition = 0, rows = 30)
    beats(1, rows = 12)
    assert(rows == 30)
    starts(3, partition = 0)
    beats(3, rows = 5)
    starts(4, partition = 1)
    beats(4, rows = 7)
    assert(rows == 37)
    ends(3, partition = 0, rows = 30)
    assert(rows == 37)
    progress.stop(spark)
  }
}
