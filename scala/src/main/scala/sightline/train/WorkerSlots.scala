package sightline.train

import org.apache.spark.SparkContext
import org.apache.spark.sql.sightline.TaskSlots

import sightline.{OptionValue, SightlineException}

/** The places for the workers of a run, which Spark starts together. */
object WorkerSlots {

  private val Dynamic = "spark.dynamicAllocation.enabled"
  private val Waiting = "spark.scheduler.maxRegisteredResourcesWaitingTime"
  private val PollMillis = 200L

  /**
   * Checks that Spark can run the workers at the same time. On a cluster it waits for executors that
   * have not registered yet, as long as Spark itself waits for them.
   *
   * @throws SightlineException MISSING_SLOTS; INVALID_OPTION with dynamic allocation
   */
  def require(context: SparkContext, workers: Int): Unit = {
    val conf = context.getConf
    if (!context.isLocal && conf.getBoolean(Dynamic, defaultValue = false)) {
      throw OptionValue.invalid(
        Dynamic,
        "true",
        "Spark starts the workers of a training run together, which it does only with a fixed " +
          "number of executors: set it to false, and spark.executor.instances.",
      )
    }
    val seconds = if (context.isLocal) 0L else conf.getTimeAsSeconds(Waiting, "30s")
    val until = System.nanoTime + seconds * 1000000000L
    val slots = Iterator
      .continually(TaskSlots.of(context))
      .dropWhile { found =>
        val waits = found < workers && System.nanoTime < until
        if (waits) Thread.sleep(PollMillis)
        waits
      }
      .next()
    if (slots < workers) throw missing(context, workers, slots)
  }

  /**
   * The threads of a worker: on this machine its cores, divided among the workers; on a cluster
   * `spark.task.cpus`.
   */
  def threads(context: SparkContext, workers: Int): Int = {
    val cpus = context.getConf.getInt("spark.task.cpus", 1)
    if (context.isLocal) math.max(cpus, context.defaultParallelism / workers) else cpus
  }

  /**
   * Checks that the workers' devices can train with the precision: fp16 needs CUDA, and `auto` is the
   * CPU unless Spark gives each task a GPU, which it does not in local mode.
   *
   * @param device `auto`, `cpu` or `cuda`
   * @throws SightlineException UNSUPPORTED_PRECISION
   */
  def requirePrecision(context: SparkContext, precision: String, device: String): Unit = {
    val hasGpus = !context.isLocal && context.getConf.contains("spark.task.resource.gpu.amount")
    val isOnCpu = device == "cpu" || (device == "auto" && !hasGpus)
    if (precision == "fp16" && isOnCpu) {
      // The text of the Python command: the condition's own is about the backends of a model.
      val text = "--precision fp16 trains on a CUDA device only; on the CPU use bf16 or fp32."
      SightlineException.relayed("UNSUPPORTED_PRECISION", text).foreach(throw _)
    }
  }

  private def missing(context: SparkContext, workers: Int, slots: Int): SightlineException =
    SightlineException(
      "MISSING_SLOTS",
      "workers" -> workers,
      "slots" -> slots,
      "cores" -> context.getConf.getInt("spark.task.cpus", 1),
      "hint" -> (
        if (context.isLocal) "Give fewer workers, or more cores: --master local[N]."
        else
          "Give fewer workers, or more executors: spark.executor.instances, spark.executor.cores."
      ),
    )
}
