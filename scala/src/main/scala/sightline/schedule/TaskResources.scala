package sightline.schedule

import org.apache.spark.SparkConf
import org.apache.spark.resource.ResourceProfile
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.sightline.TaskProfiles

import sightline.{OptionValue, SightlineException}

/**
 * What each task that runs a model takes from its executor. Tasks of stages without a model, such as
 * those of a listing, take what the application's settings say.
 *
 * @param gpus the part of a GPU, 0 to 1: 0.25 lets four tasks share a GPU; 0: the application's
 *   setting `spark.task.resource.gpu.amount`
 * @param cpus the number of cores; 0: the application's setting `spark.task.cpus`
 */
final case class TaskResources(gpus: Double = 0, cpus: Int = 0) {

  /** The profile of the stages with the model; None if they are as all other stages. */
  def profile(spark: SparkSession): Option[ResourceProfile] =
    Option.when(this != TaskResources())(TaskProfiles.of(spark.sparkContext, gpus, cpus))

  /** What each task takes: the application's amount in place of 0. */
  def resolved(conf: SparkConf): TaskResources = TaskResources(
    if (gpus > 0) gpus else conf.getDouble("spark.task.resource.gpu.amount", 0),
    if (cpus > 0) cpus else conf.getInt("spark.task.cpus", 1),
  )

  /**
   * Checks that the application's executors can run such tasks. Without this check Spark would wait
   * for ever for an executor that can.
   *
   * @throws SightlineException TASK_RESOURCES_UNAVAILABLE
   */
  def check(spark: SparkSession): Unit = if (this != TaskResources()) {
    val context = spark.sparkContext
    val conf = context.getConf
    if (context.isLocal) {
      throw unavailable(
        s"master ${context.master} gives all tasks the same resources",
        "Use a standalone, YARN or Kubernetes cluster, or leave the option out: in local mode " +
          "--device cuda uses GPU 0, and spark.task.cpus is the number of cores of a task.",
      )
    }
    val executorGpus = conf.getInt(ResourceSettings.ExecutorGpus, 0)
    if (gpus > 0 && executorGpus < 1) {
      throw unavailable(
        s"the application's executors have no GPU: ${ResourceSettings.ExecutorGpus} is not set",
        s"Set --conf ${ResourceSettings.ExecutorGpus}=1 --conf " +
          "spark.executor.resource.gpu.discoveryScript=gpu_discovery.sh (`sightline gpu-discovery` " +
          "writes the script).",
      )
    }
    TaskResources.executorCores(spark).filter(_ < cpus).foreach { cores =>
      throw unavailable(
        s"an executor has $cores cores",
        s"Set --conf spark.executor.cores=$cpus, or a smaller cpus-per-task.",
      )
    }
    TaskProfiles.refusal(context, gpus, cpus).foreach { reason =>
      throw unavailable(reason, "Leave the option out, or use a cluster manager that supports it.")
    }
  }

  private def unavailable(reason: String, hint: String): SightlineException = {
    val parts = Seq(
      Option.when(gpus > 0)(s"gpus-per-task $gpus"),
      Option.when(cpus > 0)(s"cpus-per-task $cpus"),
    )
    SightlineException(
      "TASK_RESOURCES_UNAVAILABLE",
      "resources" -> parts.flatten.mkString(" and "),
      "reason" -> reason,
      "hint" -> hint,
    )
  }
}

object TaskResources {

  /**
   * Checks the part of a GPU. A task runs its model on one GPU, so more than 1 has no use.
   *
   * @throws SightlineException INVALID_OPTION
   */
  def gpus(option: String, value: Double): Double =
    if (value >= 0 && value <= 1) value
    else throw OptionValue.invalid(option, value, "It must be a number from 0 to 1.")

  /** The same for a text. */
  def gpus(option: String, text: String): Double =
    gpus(
      option,
      text.toDoubleOption.getOrElse(
        throw OptionValue.invalid(option, text, "It must be a number from 0 to 1.")
      ),
    )

  /**
   * Parses the number of cores.
   *
   * @throws SightlineException INVALID_OPTION
   */
  def cpus(option: String, text: String): Int =
    text.toIntOption
      .filter(_ >= 0)
      .getOrElse(
        throw OptionValue.invalid(option, text, "It must be a whole number of at least 0.")
      )

  /** The cores of an executor; None on a standalone cluster that gives it all cores of a worker. */
  private def executorCores(spark: SparkSession): Option[Int] = {
    val master = spark.sparkContext.master
    val oneByDefault = master.startsWith("yarn") || master.startsWith("k8s")
    spark.sparkContext.getConf
      .getOption("spark.executor.cores")
      .flatMap(_.toIntOption)
      .orElse(Option.when(oneByDefault)(1))
  }
}
