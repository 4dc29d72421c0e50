package org.apache.spark.sql.sightline

import scala.collection.concurrent.TrieMap

import com.google.common.collect.MapMaker
import org.apache.spark.resource.{ResourceProfile, TaskResourceProfile, TaskResourceRequests}
import org.apache.spark.{SparkContext, SparkException}

/** Spark's resource profiles for tasks that take their own part of an executor. */
object TaskProfiles {

  // Two profiles with equal amounts are different to Spark, which rejects a stage with two of them.
  private val made =
    new MapMaker().weakKeys().makeMap[SparkContext, TrieMap[(Double, Int), ResourceProfile]]()

  /**
   * The profile; the same object for the same amounts.
   *
   * With dynamic allocation Spark accepts only profiles that describe the executors too, and starts
   * executors of their own for them. Without it, only profiles of tasks are accepted.
   *
   * @param gpus the part of a GPU; 0: a task takes none
   * @param cpus the number of cores; 0: `spark.task.cpus`
   */
  def of(context: SparkContext, gpus: Double, cpus: Int): ResourceProfile =
    made
      .computeIfAbsent(context, _ => TrieMap.empty)
      .getOrElseUpdate((gpus, cpus), make(context, gpus, cpus))

  /** Why the cluster manager does not accept the profile, as a clause; None if it does. */
  def refusal(context: SparkContext, gpus: Double, cpus: Int): Option[String] =
    try {
      context.resourceProfileManager.isSupported(of(context, gpus, cpus)): Unit
      None
    } catch {
      case error: SparkException => Some(s"Spark answers: ${error.getMessage.stripSuffix(".")}")
    }

  private def make(context: SparkContext, gpus: Double, cpus: Int): ResourceProfile = {
    val request = new TaskResourceRequests
    if (gpus > 0) request.resource("gpu", gpus): Unit
    if (cpus > 0) request.cpus(cpus): Unit
    if (org.apache.spark.util.Utils.isDynamicAllocationEnabled(context.conf)) {
      val executors = context.resourceProfileManager.defaultResourceProfile.executorResources
      new ResourceProfile(executors, request.requests)
    } else new TaskResourceProfile(request.requests)
  }
}
