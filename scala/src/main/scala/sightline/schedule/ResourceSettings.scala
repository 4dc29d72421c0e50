package sightline.schedule

import org.apache.spark.SparkConf

import sightline.SightlineException

/**
 * Spark's settings of cores and GPUs for a task.
 *
 * @param conf the application's settings; `spark.master` may be missing
 */
final class ResourceSettings(conf: SparkConf) {
  import ResourceSettings.*

  val master: String = conf.get("spark.master", "local[*]")

  /** Cores that a task takes. */
  val taskCpus: Int = conf.getInt("spark.task.cpus", 1)

  /** Whether the tasks run in the driver's process. */
  val isLocal: Boolean = master == "local" || master.startsWith("local[")

  /** Cores of an executor; None if only the cluster knows. */
  val executorCores: Option[Int] = master match {
    case "local" => Some(1)
    case Local("*") => Some(Runtime.getRuntime.availableProcessors)
    case Local(cores) => Some(cores.toInt)
    case LocalCluster(cores) => Some(conf.getInt("spark.executor.cores", cores.toInt))
    case _ => conf.getOption("spark.executor.cores").flatMap(_.toIntOption)
  }

  /** GPUs that a task takes, such as 0.25; 0: none. */
  val taskGpus: Double = amount("task")

  /** GPUs of an executor; 0: none. */
  val executorGpus: Double = amount("executor")

  /** Tasks that an executor's cores can run at the same time; None if only the cluster knows. */
  def slots: Option[Int] = executorCores.map(_ / taskCpus)

  /**
   * Checks that the settings let a task start. Some of them would make Spark wait for ever, and with
   * others it does not start.
   *
   * @throws SightlineException TASKS_CANNOT_START
   */
  def requireStart(): Unit = {
    executorCores.filter(_ < taskCpus).foreach { cores =>
      throw refused(
        s"spark.task.cpus is $taskCpus, but an executor has $cores cores",
        s"Set spark.task.cpus to $cores or less, or give an executor $taskCpus cores.",
      )
    }
    if (taskGpus > 0 && isLocal) {
      throw refused(
        s"$TaskGpus is ${shown(taskGpus)}, but Spark has no GPUs to assign in local mode",
        s"Remove $TaskGpus; --device cuda uses GPU 0 in local mode.",
      )
    }
    if (taskGpus > 0 && executorGpus == 0) {
      throw refused(
        s"$TaskGpus is ${shown(taskGpus)}, but $ExecutorGpus is not set",
        s"Set $ExecutorGpus=1 and spark.executor.resource.gpu.discoveryScript.",
      )
    }
    if (taskGpus > executorGpus) {
      throw refused(
        s"$TaskGpus is ${shown(taskGpus)}, but $ExecutorGpus is ${shown(executorGpus)}",
        s"Set $TaskGpus to ${shown(executorGpus)} or less.",
      )
    }
  }

  private def amount(of: String): Double =
    conf.getOption(s"spark.$of.resource.gpu.amount").flatMap(_.toDoubleOption).getOrElse(0.0)
}

object ResourceSettings {

  val TaskGpus = "spark.task.resource.gpu.amount"
  val ExecutorGpus = "spark.executor.resource.gpu.amount"

  private val Local = """local\[(\d+|\*)(?:,.*)?\]""".r
  private val LocalCluster = """local-cluster\[\s*\d+\s*,\s*(\d+)\s*,.*""".r

  /** A number of GPUs for messages: 1, 0.25. */
  def shown(gpus: Double): String = if (gpus.isWhole) gpus.toLong.toString else gpus.toString

  private def refused(found: String, hint: String): SightlineException =
    SightlineException("TASKS_CANNOT_START", "found" -> found, "hint" -> hint)
}
