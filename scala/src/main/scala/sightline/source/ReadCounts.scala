package sightline.source

import java.util.concurrent.atomic.LongAdder

import org.apache.spark.sql.connector.metric.{CustomSumMetric, CustomTaskMetric}

/** The metric of files that a scan opened or tried to open, for Spark's UI. */
final class FilesOpened extends CustomSumMetric {
  override def name(): String = ReadCounts.FilesOpened
  override def description(): String = "image files opened"
}

/** The metric of bytes that a scan read. */
final class BytesRead extends CustomSumMetric {
  override def name(): String = ReadCounts.BytesRead
  override def description(): String = "image bytes read"
}

/** The metric of files that gave an error instead of bytes. */
final class ReadErrors extends CustomSumMetric {
  override def name(): String = ReadCounts.ReadErrors
  override def description(): String = "image files not readable"
}

/** The metrics of one task. */
final private[source] class ReadCounts {
  private val opened = new LongAdder
  private val bytes = new LongAdder
  private val errors = new LongAdder

  def add(result: Either[ReadError, Array[Byte]]): Unit = {
    opened.increment()
    result.fold(_ => errors.increment(), content => bytes.add(content.length.toLong))
  }

  def values: Array[CustomTaskMetric] = Array(
    ReadCounts.metric(ReadCounts.FilesOpened, opened),
    ReadCounts.metric(ReadCounts.BytesRead, bytes),
    ReadCounts.metric(ReadCounts.ReadErrors, errors),
  )
}

private[source] object ReadCounts {
  val FilesOpened = "sightlineFilesOpened"
  val BytesRead = "sightlineBytesRead"
  val ReadErrors = "sightlineReadErrors"

  private def metric(metricName: String, count: LongAdder): CustomTaskMetric =
    new CustomTaskMetric {
      override def name(): String = metricName
      override def value(): Long = count.sum
    }
}
