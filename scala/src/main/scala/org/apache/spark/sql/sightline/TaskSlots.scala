package org.apache.spark.sql.sightline

import org.apache.spark.SparkContext

/** The tasks that Spark can run at the same time. */
object TaskSlots {

  /**
   * The number of tasks that the executors of this moment run at the same time. Spark starts the tasks
   * of a barrier stage only together.
   */
  def of(context: SparkContext): Int =
    context.maxNumConcurrentTasks(context.resourceProfileManager.defaultResourceProfile)
}
