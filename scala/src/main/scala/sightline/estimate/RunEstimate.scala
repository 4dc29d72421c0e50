package sightline.estimate

import sightline.source.PartitionPlan

/**
 * The estimate of a run of all images.
 *
 * @param images the number of all images
 * @param bytes the size of the images or of their table; 0 if it is unknown
 * @param measured the costs of the sample
 * @param startSeconds the measured time before the first job: start of Spark, listing, checks
 * @param taskCores the cores of a task
 */
final case class RunEstimate(
    images: Long,
    bytes: Long,
    measured: Measured,
    startSeconds: Double,
    taskCores: Int,
) {

  /** The cores of the tasks that ran at the same time. */
  def ownCores: Int = measured.slots * taskCores

  /** The share of failed images in the sample, 0 to 1. */
  def errorRate: Double = measured.errors.values.sum.toDouble / math.max(1L, measured.images)

  /** The expected number of failed images. */
  def errors: Long = math.round(errorRate * images)

  /** CPU seconds of all images. */
  def cpuSeconds: Double = images * measured.cpu.sum

  /** The share of a task's time, 0 to 1, in which it used none of its cores. */
  def waitShare: Double =
    math.max(0d, 1 - measured.cpu.sum / math.max(1e-9, measured.imageSeconds * taskCores))

  /** The run with tasks on that number of cores, which are as fast as the measured ones. */
  def on(cores: Int): RunTime = {
    val slots = math.max(1, cores / taskCores)
    val partitions = PartitionPlan.partitions(images, bytes, slots)
    val waves = (partitions + slots - 1) / slots
    val busy = math.min(slots.toLong, partitions)
    val inferSeconds =
      measured.firstSeconds + waves * measured.taskSeconds + images * measured.imageSeconds / busy
    RunTime(cores, partitions, inferSeconds, startSeconds + inferSeconds, images / inferSeconds)
  }
}

/**
 * The expected time of a run.
 *
 * @param cores the cores of all tasks that run at the same time
 * @param partitions the number of tasks
 * @param inferSeconds the time of the job with the model
 * @param seconds the time from the start of the program to the end of this job
 * @param imagesPerSecond during this job
 */
final case class RunTime(
    cores: Int,
    partitions: Long,
    inferSeconds: Double,
    seconds: Double,
    imagesPerSecond: Double,
)

/**
 * The price of a run: every node is paid for from the start to the end.
 *
 * @param perHour the price of a node for an hour
 * @param nodeCores the cores of a node
 */
final case class NodePrice(perHour: Double, nodeCores: Int) {
  def of(run: RunTime): Double = {
    val nodes = (run.cores + nodeCores - 1) / nodeCores
    nodes * run.seconds / 3600 * perHour
  }
}
