package org.apache.spark.sql.sightline

import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.DoubleAdder
import java.util.{Collections, LinkedHashMap, Map as JavaMap}

import com.codahale.metrics.{Gauge, MetricRegistry}
import org.apache.spark.SparkContext
import org.apache.spark.metrics.source.Source
import org.apache.spark.scheduler.{SparkListener, SparkListenerTaskEnd}
import org.apache.spark.sql.execution.metric.SQLMetric

/**
 * The sums of the metrics of all `Infer` nodes of an application. Spark's metrics sinks, such as
 * Prometheus, report them as the source `sightline` of the driver.
 */
final private[sightline] class InferTotals extends SparkListener with Source {

  override val sourceName: String = InferTotals.Name
  override val metricRegistry: MetricRegistry = new MetricRegistry

  private val sums = new ConcurrentHashMap[String, DoubleAdder]

  // Spark has no event for a metric that is no longer used, so the oldest ones are forgotten.
  private val watched = Collections.synchronizedMap(new LinkedHashMap[Long, (String, Double)] {
    override def removeEldestEntry(oldest: JavaMap.Entry[Long, (String, Double)]): Boolean =
      size > InferTotals.Watched
  })

  /**
   * Adds the values of a metric to a sum.
   *
   * @param name of the sum
   * @param unit the value 1 of the metric, in the unit of the sum
   */
  def watch(metric: SQLMetric, name: String, unit: Double): Unit = {
    sums.computeIfAbsent(
      name,
      _ => {
        val sum = new DoubleAdder
        val gauge: Gauge[Double] = () => sum.sum
        metricRegistry.register(name, gauge): Unit
        sum
      },
    ): Unit
    watched.put(metric.id, (name, unit)): Unit
  }

  override def onTaskEnd(ended: SparkListenerTaskEnd): Unit =
    Option(ended.taskInfo).foreach(_.accumulables.foreach { one =>
      for {
        (name, unit) <- Option(watched.get(one.id))
        added <- one.update.collect { case value: Long => value }
      } sums.get(name).add(added * unit)
    })
}

private[sightline] object InferTotals {

  private val Name = "sightline"

  /** About the metrics of 500 queries. */
  private val Watched = 20000

  /** The totals of an application. */
  def of(context: SparkContext): InferTotals = synchronized {
    val known = context.env.metricsSystem.getSourcesByName(Name).collectFirst {
      case totals: InferTotals => totals
    }
    known.getOrElse {
      val totals = new InferTotals
      context.env.metricsSystem.registerSource(totals)
      context.addSparkListener(totals)
      totals
    }
  }
}
