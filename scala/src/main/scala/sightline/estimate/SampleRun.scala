package sightline.estimate

import org.apache.spark.sql.sightline.{RowCounts, RowTally, TaskSlots, TaskTimes}
import org.apache.spark.sql.{DataFrame, SparkSession}

import sightline.model.ResultType
import sightline.plan.InferTable
import sightline.schedule.{Inference, WorkerCounters}
import sightline.source.{Columns, ErrorCode, ImageSample}

/**
 * Measures a sample of images with the operators of a run. Nothing is written.
 *
 * A job has costs that do not grow with its images, so costs of an image are differences of two jobs:
 * one with an image for each task, and one with the sample. A first job, which is not a part of these
 * differences, starts the workers. Every job has as many tasks as can run at the same time, because
 * tasks that share a core or a disk are slower.
 *
 * @param command the name of the command for EXPLAIN
 * @param sample returns some of the run's rows
 */
final class SampleRun(
    spark: SparkSession,
    command: String,
    inference: Inference,
    result: ResultType,
    sample: ImageSample => DataFrame,
) {
  import SampleRun.*

  private val context = spark.sparkContext
  private val counters = WorkerCounters.of(context)

  /**
   * @param images the number of images of the sample; at least [[PerSlot]] for each task are taken
   * @param count the number of all images
   */
  def measure(images: Int, count: Long, seed: Long): Measured = {
    def rows(of: Int, tasks: Int, round: Int): DataFrame =
      sample(ImageSample(math.min(of.toLong, count).toInt, tasks, seed + round))
    val atStart = slots
    val (first, firstSeconds) = timed(rows(PerSlot * atStart, atStart, round = 0))
    // Executors may have started during the first job.
    val parallel = slots
    val few = rows(parallel, parallel, round = 1)
    val many = rows(math.max(images, PerSlot * parallel), parallel, round = 2)
    // The first query of a kind compiles its code.
    discard(few)
    val readFew = TaskTimes.of(context)(discard(few))
    val readMany = TaskTimes.of(context)(discard(many))
    val inferFew = inferred(few)
    val inferMany = inferred(many)
    val difference = Difference(inferFew.images, inferMany.images)
    val threads = math.max(1, inference.threads(spark))
    val read = difference(readFew.cpuSeconds, readMany.cpuSeconds)
    val cpu = PartCosts(
      read = read,
      transfer = math.max(
        0d,
        difference(inferFew.times.cpuSeconds, inferMany.times.cpuSeconds) - read,
      ) + inferMany.perImage("read_cpu_s") + inferMany.perImage("result_cpu_s"),
      decode = inferMany.perImage("decode_cpu_s"),
      model = inferMany.perImage("infer_cpu_s"),
    )
    val modelSeconds = inferMany.perImage("infer_wall_s")
    val readSeconds = difference(readFew.runSeconds, readMany.runSeconds)
    val imageSeconds = Seq(
      difference(inferFew.times.runSeconds, inferMany.times.runSeconds),
      (cpu.decode + modelSeconds) / threads,
      readSeconds,
    ).max
    val ofTask = inferFew.times.runSeconds / inferFew.times.tasks -
      imageSeconds * inferFew.images / inferFew.times.tasks
    val taskSeconds = math.max(0d, ofTask)
    Measured(
      images = inferMany.images,
      errors = inferMany.errors,
      slots = parallel,
      cpu = cpu,
      readSeconds = readSeconds,
      imageSeconds = imageSeconds,
      modelSeconds = modelSeconds,
      taskSeconds = taskSeconds,
      firstSeconds = math.max(
        0d,
        firstSeconds - first.images * imageSeconds / atStart - taskSeconds,
      ),
    )
  }

  private def slots: Int =
    math.max(1, TaskSlots.of(context, inference.settings.resources.profile(spark)))

  private def timed(rows: DataFrame): (Job, Double) = {
    val start = System.nanoTime
    val job = inferred(rows)
    (job, (System.nanoTime - start) / 1e9)
  }

  private def inferred(rows: DataFrame): Job = {
    val counts = RowCounts.register(spark, ErrorCode.all)
    val before = counters.values
    val times = TaskTimes.of(context) {
      discard(
        RowTally(InferTable.images(command, inference, result, rows), Columns.Error, counts)
      )
    }
    Job(counts.rows, counts.errors, counters.since(before), times)
  }
}

object SampleRun {

  /** The least number of images of a job for each task that runs at the same time. */
  val PerSlot = 8

  /** The number of images of a job, its errors, the counters of its workers, and its tasks. */
  final private case class Job(
      images: Long,
      errors: Map[String, Long],
      counters: Map[String, Double],
      times: TaskTimes,
  ) {
    def perImage(counter: String): Double =
      counters.getOrElse(counter, 0d) / math.max(1L, images)
  }

  /** The cost of an image, from the costs of two jobs. */
  final private case class Difference(few: Long, many: Long) {
    def apply(costOfFew: Double, costOfMany: Double): Double =
      if (many > few) math.max(0d, (costOfMany - costOfFew) / (many - few))
      else costOfMany / math.max(1L, many)
  }

  private def discard(rows: DataFrame): Unit =
    rows.write.format("noop").mode("overwrite").save()
}
