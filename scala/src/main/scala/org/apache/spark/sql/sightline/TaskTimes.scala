package org.apache.spark.sql.sightline

import java.util.concurrent.ConcurrentLinkedQueue

import scala.jdk.CollectionConverters.*

import org.apache.spark.SparkContext
import org.apache.spark.scheduler.{SparkListener, SparkListenerTaskEnd}

/**
 * What Spark measured of the tasks of some jobs.
 *
 * @param tasks the number of tasks
 * @param runSeconds the wall time of the tasks, summed
 * @param cpuSeconds the CPU time of their threads in the JVM, summed
 */
final case class TaskTimes(tasks: Int, runSeconds: Double, cpuSeconds: Double)

object TaskTimes {

  /** Runs jobs and returns the times of their successful tasks. No other job may run meanwhile. */
  def of(context: SparkContext)(jobs: => Unit): TaskTimes = {
    val ended = new ConcurrentLinkedQueue[TaskTimes]
    val listener = new SparkListener {
      override def onTaskEnd(event: SparkListenerTaskEnd): Unit =
        Option(event.taskMetrics).filter(_ => event.taskInfo.successful).foreach { metrics =>
          ended.add(TaskTimes(1, metrics.executorRunTime / 1e3, metrics.executorCpuTime / 1e9))
        }
    }
    // Events of earlier jobs may not have arrived yet.
    context.listenerBus.waitUntilEmpty()
    context.addSparkListener(listener)
    try {
      jobs
      context.listenerBus.waitUntilEmpty()
    } finally context.removeSparkListener(listener)
    val all = ended.asScala.toSeq
    TaskTimes(all.size, all.map(_.runSeconds).sum, all.map(_.cpuSeconds).sum)
  }
}
