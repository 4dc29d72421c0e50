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
  def apply(context: SparkContext, codes: Seq[String]): Map[String, SQLMetric] = (
    Counts.map { case (name, text) => name -> SQLMetrics.createMetric(context, text) } ++
      Seconds.map { case (name, text) =>
        name -> SQLMetrics.createNanoTimingMetric(context, text)
      } ++
      codes.map(code => s"$Errors$code" -> SQLMetrics.createMetric(context, s"errors: $code")) :+
      (Bytes -> SQLMetrics.createSizeMetric(context, "size of the inputs"))
  ).toMap

  /** Adds a worker's counters. Times are in nanoseconds: a short task has less than a millisecond. */
  def add(metrics: Map[String, SQLMetric], counters: Map[String, Double]): Unit =
    counters.foreach { case (name, value) =>
      val unit = if (name.endsWith("_s")) 1e9 else 1d
      metrics.get(name).filter(_ => value > 0).foreach(_.add(math.round(value * unit)))
    }
}
