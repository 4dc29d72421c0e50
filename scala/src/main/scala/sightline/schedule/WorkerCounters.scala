package sightline.schedule

import java.nio.charset.StandardCharsets.ISO_8859_1

import scala.collection.concurrent.TrieMap
import scala.collection.immutable.ListMap
import scala.collection.mutable
import scala.jdk.CollectionConverters.*

import org.apache.spark.SparkContext
import org.apache.spark.util.{AccumulatorV2, CollectionAccumulator}
import org.json4s.*
import org.json4s.jackson.JsonMethods

/**
 * What the workers' engines counted (images, seconds of decoding, of the model, …), summed over the
 * tasks that succeeded. `sightline.engine.counters` says what each is.
 *
 * Spark carries a worker's accumulator updates as it gets them: pickles of `(number, value)`. They
 * are summed as they arrive, so that a million tasks leave nothing behind, and not unpickled: our
 * value is a JSON text, found by its beginning.
 */
final class WorkerCounters private extends CollectionAccumulator[Array[Byte]] {

  @transient private lazy val sums = TrieMap.empty[String, Double]

  /** Counter and sum, by name, seconds to a tenth of a millisecond; empty before the first task. */
  def values: ListMap[String, Double] =
    sums.toSeq.sorted.map { case (name, sum) => name -> math.rint(sum * 1e4) / 1e4 }.to(ListMap)

  /** The same, without what `before` had counted; what has not changed since is left out. */
  def since(before: ListMap[String, Double]): ListMap[String, Double] = values.flatMap {
    case (name, sum) =>
      val more = math.rint((sum - before.getOrElse(name, 0d)) * 1e4) / 1e4
      Option.when(more != 0 || !before.contains(name))(name -> more)
  }

  // Called on the driver, once for each task, by one thread.
  override def merge(other: AccumulatorV2[Array[Byte], java.util.List[Array[Byte]]]): Unit =
    for {
      update <- other.value.asScala
      (name, value) <- WorkerCounters.parse(update)
    } sums.update(name, sums.getOrElse(name, 0d) + value)
}

object WorkerCounters {

  private val Begin = """{"sightline_counters": """

  private val byContext = mutable.WeakHashMap.empty[SparkContext, WorkerCounters]

  /** Of all that the workers of an application have run. */
  def of(context: SparkContext): WorkerCounters =
    synchronized(byContext.getOrElseUpdate(context, register(context)))

  private def register(context: SparkContext): WorkerCounters = {
    val counters = new WorkerCounters
    context.register(counters)
    counters
  }

  private def parse(update: Array[Byte]): Map[String, Double] = {
    implicit val formats: Formats = DefaultFormats
    val text = new String(update, ISO_8859_1)
    val begin = text.indexOf(Begin)
    if (begin < 0) Map.empty
    else {
      val json = text.substring(begin + Begin.length, text.lastIndexOf('}'))
      JsonMethods.parse(json).extract[Map[String, Double]]
    }
  }
}
