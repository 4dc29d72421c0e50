package org.apache.spark.sql.sightline

import org.apache.spark.SparkContext
import org.apache.spark.sql.execution.metric.{SQLMetric, SQLMetrics}

/** The metrics that Spark's page shows for the inference of a query. */
private[sightline] object InferMetrics {

  /** A counter of the worker to the text on the page. */
  private val Counts = Seq(
    "images" -> "rows",
    "decoded" -> "rows sent to the model",
    "batches" -> "batches of the model",
    "halved_batches" -> "batches halved, out of memory",
  )
  private val Bytes = "image_bytes"
  private val Seconds = Seq(
    "decode_cpu_s" -> "decode CPU time",
    "infer_wall_s" -> "model time",
    "read_wait_s" -> "wait for rows",
  )

  /** The counters of errors start with it; then follows the code. */
  private val Errors = "errors."

  /** @param codes the codes of errors that a row can have */
  def apply(context: SparkContext, codes: Seq[String]): Map[String, SQLMetric] = {
    val counts = (Counts :+ (Bytes -> "size of the inputs")) ++
      codes.map(code => s"$Errors$code" -> s"errors: $code")
    val totals = InferTotals.of(context)
    val made = counts.map { case (name, text) =>
      val metric =
        if (name == Bytes) SQLMetrics.createSizeMetric(context, text)
        else SQLMetrics.createMetric(context, text)
      totals.watch(metric, name, 1)
      name -> metric
    } ++ Seconds.map { case (name, text) =>
      val metric = SQLMetrics.createNanoTimingMetric(context, text)
      totals.watch(metric, name.replaceFirst("_s$", "_seconds"), 1e-9)
      name -> metric
    }
    made.toMap
  }

  /** Adds a worker's counters. Times are in nanoseconds: a short task has less than a millisecond. */
  def add(metrics: Map[String, SQLMetric], counters: Map[String, Double]): Unit =
    counters.foreach { case (name, value) =>
      val unit = if (name.endsWith("_s")) 1e9 else 1d
      metrics.get(name).filter(_ => value > 0).foreach(_.add(math.round(value * unit)))
    }
}
