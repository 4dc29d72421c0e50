package sightline.report

import java.io.PrintStream
import java.util.Locale
import java.util.concurrent.{ConcurrentHashMap, TimeUnit}

import scala.jdk.CollectionConverters.*

import org.apache.spark.scheduler.*
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.sightline.{RowCounts, RowTally}

/**
 * Prints the progress of a run on the console: rows, images per second, errors, remaining time.
 *
 * During the run the numbers are those that tasks report with heartbeats, and Spark may lose some
 * events. The last line has the exact numbers of [[RowCounts]].
 */
final class Progress private (
    title: String,
    total: Long,
    counts: RowCounts,
    unit: String,
    out: PrintStream,
) extends SparkListener {

  import Progress.Share

  // The key is a stage and its partition, so that repeated and speculative attempts count once.
  private val done = new ConcurrentHashMap[(Int, Int), Map[String, Long]]
  private val running = new ConcurrentHashMap[Long, Share]
  private val started = System.nanoTime
  private val isTerminal = Option(System.console).isDefined
  private val timer = DaemonTimer.start("sightline-progress")

  override def onTaskStart(event: SparkListenerTaskStart): Unit = {
    val of = (event.stageId, event.taskInfo.partitionId)
    running.put(event.taskInfo.taskId, Share(of, Map.empty)): Unit
  }

  override def onExecutorMetricsUpdate(event: SparkListenerExecutorMetricsUpdate): Unit =
    event.accumUpdates.foreach { case (task, _, _, updates) =>
      val ours = Progress.ours(updates.map(info => info.name -> info.update))
      // An update that arrives after the end of its task is dropped.
      running.computeIfPresent(task, (_, share) => share.copy(values = ours)): Unit
    }

  override def onTaskEnd(event: SparkListenerTaskEnd): Unit = {
    running.remove(event.taskInfo.taskId)
    if (event.taskInfo.successful) {
      val values = event.taskInfo.accumulables.toSeq.map(info => info.name -> info.update)
      done.put((event.stageId, event.taskInfo.partitionId), Progress.ours(values)): Unit
    }
  }

  /** Prints the last line and stops. */
  def stop(spark: SparkSession): Unit = {
    timer.shutdownNow()
    spark.sparkContext.removeSparkListener(this)
    print(counts.rows, counts.errors.values.sum)
    if (isTerminal) out.println()
  }

  /** The metrics of [[RowTally]] and their values, as far as tasks have reported them. */
  def seen: Map[String, Long] = {
    val ended = done.asScala.toMap
    val now = running.values.asScala.toSeq.filterNot(share => ended.contains(share.of))
    val furthest = now.groupBy(_.of).values.map(_.maxBy(_.values.getOrElse(RowTally.Rows, 0L)))
    (ended.values ++ furthest.map(_.values)).toSeq.flatten.groupMapReduce(_._1)(_._2)(_ + _)
  }

  private def print(): Unit = {
    val now = seen
    print(
      now.getOrElse(RowTally.Rows, 0L),
      now.collect { case (name, n) if name != RowTally.Rows => n }.sum,
    )
  }

  private def print(rows: Long, failed: Long): Unit = {
    val line = Progress.line(title, rows, total, failed, (System.nanoTime - started) / 1e9, unit)
    if (isTerminal) out.print(s"\r\u001b[K$line") else out.println(line)
  }

  private def begin(spark: SparkSession): this.type = {
    spark.sparkContext.addSparkListener(this)
    val seconds = if (isTerminal) 1L else 5L
    timer.scheduleAtFixedRate(() => print(), seconds, seconds, TimeUnit.SECONDS)
    this
  }
}

object Progress {

  /**
   * The values that one task has reported.
   *
   * @param of the task's stage and partition
   */
  final private case class Share(of: (Int, Int), values: Map[String, Long])

  /**
   * Starts to print progress.
   *
   * @param total the expected number of rows
   * @param counts the counts of the [[RowTally]] that the rows pass through
   * @param unit the name of a row in the plural
   */
  def start(
      spark: SparkSession,
      title: String,
      total: Long,
      counts: RowCounts,
      unit: String = "images",
  ): Progress = new Progress(title, total, counts, unit, System.err).begin(spark)

  private def ours(values: Seq[(Option[String], Option[Any])]): Map[String, Long] =
    values.collect {
      case (Some(name), Some(value: Long)) if name.startsWith("sightline ") => name -> value
    }.toMap

  /** One line of progress. Rows beyond `total`, which are read repeatedly, are not counted. */
  def line(
      title: String,
      rows: Long,
      total: Long,
      errors: Long,
      seconds: Double,
      unit: String = "images",
  ): String = {
    val shown = math.min(rows, total)
    val rate = if (seconds > 0) shown / seconds else 0.0
    val left =
      if (shown == total) "done"
      else if (rate > 0) s"${duration((total - shown) / rate)} left"
      else "starting"
    val percent = if (total > 0) 100 * shown / total else 100
    String.format(
      Locale.ROOT,
      "%s: %,d of %,d %s (%d%%), %.1f %s/s, %,d errors, %s",
      title,
      shown,
      total,
      unit,
      percent,
      rate,
      unit,
      errors,
      left,
    )
  }

  private def duration(seconds: Double): String = {
    val whole = math.ceil(seconds).toLong
    if (whole < 120) s"$whole s"
    else if (whole < 7200) s"${whole / 60} min"
    else s"${whole / 3600} h ${whole % 3600 / 60} min"
  }
}
