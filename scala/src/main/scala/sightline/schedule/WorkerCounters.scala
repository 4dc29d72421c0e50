package sightline.schedule

import java.nio.charset.StandardCharsets.ISO_8859_1

import scala.collection.concurrent.TrieMap
import scala.collection.immutable.ListMap
import scala.collection.mutable
import scala.jdk.CollectionConverters.*

import org.apache.spark.SparkContext
import org.apache.spark.sql.sightline.TaskCounters
import org.apache.spark.util.{AccumulatorV2, CollectionAccumulator}
import org.json4s.*
import org.json4s.jackson.JsonMethods

/**
 * Sums of the workers' counters over the tasks that succeeded: images, seconds of decoding, seconds of
 * the model, and others. `sightline.engine.counters` defines each counter.
 *
 * Spark sends a worker's accumulator updates to the driver as pickles of `(number, value)`. They are
 * summed when they arrive, so the memory does not grow with the number of tasks. They are not
 * unpickled: the value is a JSON text that starts with a fixed prefix.
 */
final class WorkerCounters private extends CollectionAccumulator[Array[Byte]] {

  @transient private lazy val sums = TrieMap.empty[String, Double]

  /** Counter names to sums, sorted by name, rounded to 0.0001; empty before the first task has ended. */
  def values: ListMap[String, Double] =
    sums.toSeq.sorted.map { case (name, sum) => name -> math.rint(sum * 1e4) / 1e4 }.to(ListMap)

  /** The increase of each counter since `before`, an earlier [[values]]. */
  def since(before: ListMap[String, Double]): ListMap[String, Double] = values.map {
    case (name, sum) => name -> math.rint((sum - before.getOrElse(name, 0d)) * 1e4) / 1e4
  }

  // The copies in tasks are of this class too.
  override def copyAndReset(): CollectionAccumulator[Array[Byte]] = new WorkerCounters

  // Called in a task's thread, at the end of its worker.
  override def add(update: Array[Byte]): Unit = {
    super.add(update)
    TaskCounters.put(WorkerCounters.parse(update))
  }

  // Called on the driver, once for each task, by one thread.
  override def merge(other: AccumulatorV2[Array[Byte], java.util.List[Array[Byte]]]): Unit =
    for {
      update <- other.value.asScala
      (name, value) <- WorkerCounters.parse(update) if !name.startsWith(WorkerCounters.Errors)
    } sums.update(name, sums.getOrElse(name, 0d) + value)
}

object WorkerCounters {

  private val Begin = """{"sightline_counters": """

  /** Counters of errors start with it. A run counts its errors from its rows. */
  private val Errors = "errors."

  private val byContext = mutable.WeakHashMap.empty[SparkContext, WorkerCounters]

  /** The counters of an application's workers. */
  def of(context: SparkContext): WorkerCounters =
    synchronized(byContext.getOrElseUpdate(context, register(context)))

  private def register(context: SparkContext): WorkerCounters = {
    val counters = new WorkerCounters
    context.register(counters)
    counters
  }

  private def parse(update: Array[Byte]): Map[String, Double] = {
    val text = new String(update, ISO_8859_1)
    val begin = text.indexOf(Begin)
    if (begin < 0) Map.empty
    else {
      val json = text.substring(begin + Begin.length, text.lastIndexOf('}'))
      // Without `extract`, which looks for the type by reflection, for each task again.
      JsonMethods.parse(json) match {
        case JObject(fields) =>
          fields.collect {
            case (name, JDouble(value)) => name -> value
            case (name, JInt(value)) => name -> value.toDouble
          }.toMap
        case _ => Map.empty
      }
    }
  }
}
