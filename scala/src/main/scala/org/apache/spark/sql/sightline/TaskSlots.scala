package org.apache.spark.sql.sightline

import org.apache.spark.SparkContext
import org.apache.spark.resource.ResourceProfile

/** The tasks that Spark can run at the same time. */
object TaskSlots {

  /**
   * The number of tasks that the executors of this moment run at the same time. Spark starts the tasks
   * of a barrier stage only together.
   *
   * @param profile what a task takes from its executor; None: the application's settings
   */
  def of(context: SparkContext, profile: Option[ResourceProfile] = None): Int =
    context.maxNumConcurrentTasks(
      profile.getOrElse(context.resourceProfileManager.defaultResourceProfile)
    )
}
