package sightline.report

import java.io.PrintStream
import java.util.Locale
import java.util.concurrent.{ConcurrentHashMap, Executors, TimeUnit}

import scala.jdk.CollectionConverters.*

import org.apache.spark.scheduler.*
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.sightline.{ListenerEvents, RowTally}

/**
 * Tells on the console how far a run is: rows, images a second, errors, time left.
 *
 * The numbers are those of [[RowTally]], as tasks report them while they run and when they end.
 */
final class Progress private (title: String, total: Long, unit: String, out: PrintStream)
    extends SparkListener {

  // Task to its latest value of each metric; a failed task's rows do not count.
  private val tasks = new ConcurrentHashMap[Long, Map[String, Long]]
  private val started = System.nanoTime
  private val isTerminal = Option(System.console).isDefined
  private val timer = Executors.newSingleThreadScheduledExecutor { task =>
    val thread = new Thread(task, "sightline-progress")
    thread.setDaemon(true)
    thread
  }

  override def onExecutorMetricsUpdate(event: SparkListenerExecutorMetricsUpdate): Unit =
    event.accumUpdates.foreach { case (task, _, _, updates) =>
      record(task, updates.map(info => info.name -> info.update))
    }

  override def onTaskEnd(event: SparkListenerTaskEnd): Unit =
    if (event.taskInfo.successful) {
      record(
        event.taskInfo.taskId,
        event.taskInfo.accumulables.toSeq.map(info => info.name -> info.update),
      )
    } else tasks.remove(event.taskInfo.taskId): Unit

  /** Rows so far by error code; exact once the run has ended without failed tasks. */
  def errors: Map[String, Long] = {
    val prefix = RowTally.errors("")
    counts.collect {
      case (name, count) if name.startsWith(prefix) && count > 0 =>
        name.stripPrefix(prefix) -> count
    }
  }

  /** How many tasks have had rows; exact once the run has ended. */
  def tasksDone: Int = tasks.size

  /** Prints the last line and stops. */
  def stop(spark: SparkSession): Unit = {
    timer.shutdownNow()
    // The last tasks' counts may still be on their way.
    ListenerEvents.deliver(spark)
    spark.sparkContext.removeSparkListener(this)
    print()
    if (isTerminal) out.println()
  }

  private def record(task: Long, values: Seq[(Option[String], Option[Any])]): Unit = {
    val ours = values.collect {
      case (Some(name), Some(value: Long)) if name.startsWith("sightline ") => name -> value
    }
    if (ours.nonEmpty) tasks.put(task, ours.toMap): Unit
  }

  private def counts: Map[String, Long] =
    tasks.values.asScala.toSeq.flatten.groupMapReduce(_._1)(_._2)(_ + _)

  private def print(): Unit = {
    val now = counts
    val rows = now.getOrElse(RowTally.Rows, 0L)
    val failed = now.collect { case (name, n) if name != RowTally.Rows => n }.sum
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

  /** Starts to tell; `total` is the number of rows to come, each a `unit`. */
  def start(spark: SparkSession, title: String, total: Long, unit: String = "images"): Progress =
    new Progress(title, total, unit, System.err).begin(spark)

  /** One line of progress. */
  def line(
      title: String,
      rows: Long,
      total: Long,
      errors: Long,
      seconds: Double,
      unit: String = "images",
  ): String = {
    val rate = if (seconds > 0) rows / seconds else 0.0
    val left =
      if (rows >= total) "done"
      else if (rate > 0) s"${duration((total - rows) / rate)} left"
      else "starting"
    val percent = if (total > 0) 100 * rows / total else 100
    String.format(
      Locale.ROOT,
      "%s: %,d of %,d %s (%d%%), %.1f %s/s, %,d errors, %s",
      title,
      rows,
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
