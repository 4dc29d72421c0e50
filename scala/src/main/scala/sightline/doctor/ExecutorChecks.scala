package sightline.doctor

import java.nio.file.Path

import scala.annotation.tailrec

import org.apache.spark.SparkFiles
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.sightline.{Executor, Executors}

import sightline.model.Bundle
import sightline.schedule.{DriverPython, ExecutorProbe, Probed, ShippedArchives}

/**
 * The checks of every executor, in small Spark jobs.
 *
 * @param executable the interpreter of the executors
 * @param python the driver's Python, `major.minor`
 * @param model the checked model; None: no model is compared
 */
final private[doctor] class ExecutorChecks(
    spark: SparkSession,
    request: Request,
    executable: String,
    python: String,
    model: Option[Bundle],
) {
  import ExecutorChecks.*

  private val context = spark.sparkContext

  def findings(): Seq[Finding] = {
    val executors = awaited()
    val first = probe(executors)
    // An executor that was busy gets a second chance.
    val missed = executors.filterNot(one => first.exists(_.executor == one.id))
    val reports = (first ++ (if (missed.isEmpty) Nil else probe(missed))).distinctBy(_.executor)
    executors.flatMap { one =>
      reports.find(_.executor == one.id) match {
        case Some(report) => read(one, report)
        case None => Seq(notReached(one))
      }
    } ++ clocks(executors)
  }

  /** The executors, when no more of them come. */
  private def awaited(): Seq[Executor] = {
    // Starts the executors of a dynamic allocation, and waits for the first.
    ExecutorProbe.run(context, Nil)(() => ()): Unit
    val deadline = System.nanoTime + MostWaitNanos
    settled(Executors.of(context), deadline)
  }

  /** The executors, as soon as two looks in a row see the same, or at the deadline. */
  @tailrec
  private def settled(found: Seq[Executor], deadline: Long): Seq[Executor] =
    if (context.isLocal || System.nanoTime >= deadline) found
    else {
      Thread.sleep(SettledMillis)
      val now = Executors.of(context)
      if (now == found && now.nonEmpty && now.size >= expected) now else settled(now, deadline)
    }

  private def expected: Int = context.getConf.getInt(
    "spark.executor.instances",
    context.master match {
      case LocalCluster(executors) => executors.toInt
      case _ => 1
    },
  )

  private def probe(executors: Seq[Executor]): Seq[Probed[Seq[Finding]]] = {
    val folder = model.map(ShippedArchives.shipBundle(spark, _))
    val call = ExecutorChecks.call(
      ExecutorProbe.Expected(executable, context.version, python, Nil),
      request.json(context.getConf, "", None),
      folder,
      model.map(_.sha256),
    )
    ExecutorProbe.run(context, executors)(call)
  }

  private def read(executor: Executor, report: Probed[Seq[Finding]]): Seq[Finding] =
    report.result match {
      case Right(found) => found.map(_.copy(where = shown(executor)))
      case Left((condition, message)) => Seq(Finding.of(condition, message, shown(executor)))
    }

  private def clocks(executors: Seq[Executor]): Seq[Finding] = {
    val before = System.currentTimeMillis
    val times = ExecutorProbe.run(context, executors)(() => ())
    val after = System.currentTimeMillis
    executors.flatMap { one =>
      times.find(_.executor == one.id).map(time => clock(shown(one), time.millis, before, after))
    }
  }
}

private[doctor] object ExecutorChecks {

  private val LocalCluster = """local-cluster\[\s*(\d+)\s*,.*""".r
  private val MostWaitNanos = 30L * 1000 * 1000 * 1000
  private val SettledMillis = 2000L
  private val MostSkewMillis = 5000L

  private def shown(executor: Executor): String = s"executor ${executor.id} (${executor.host})"

  // Here, so that the closure does not contain the session.
  private def call(
      expected: ExecutorProbe.Expected,
      request: String,
      folder: Option[String],
      sha256: Option[String],
  ): () => Seq[Finding] = () => {
    expected.check()
    val json = DriverPython.run(
      expected.executable,
      "sightline.doctor.print_findings",
      Seq(request),
      shown = s"${expected.executable} on ${Executors.here}",
      sparkPath = Some(Executors.workerPythonPath),
    )
    val there = folder.map(name => Bundle.open(Path.of(SparkFiles.get(name))).sha256)
    Finding.parse(json) ++ there.map(found => hash(found, sha256.getOrElse("")))
  }

  private def hash(found: String, expected: String): Finding =
    if (found == expected) Finding("MODEL_HASH", Severity.Ok, s"sha256 ${found.take(12)}")
    else
      Finding.of(
        "MODEL_CHANGED",
        s"the node has the model with sha256 ${found.take(12)}, not ${expected.take(12)}. " +
          "Run it again; if that does not help, remove the node's copy.",
      )

  private def notReached(executor: Executor): Finding =
    Finding(
      "EXECUTOR_NOT_REACHED",
      Severity.Warning,
      "no task of doctor ran there",
      "It was busy or was lost, so nothing is known about it.",
      "Run doctor again while nothing else runs, or with a larger spark.locality.wait.",
      shown(executor),
    )

  /**
   * The finding for a clock.
   *
   * @param time the machine's clock, between `before` and `after` of the driver's clock if they agree
   */
  private[doctor] def clock(where: String, time: Long, before: Long, after: Long): Finding = {
    val skew = (before - time).max(time - after).max(0L)
    if (skew > MostSkewMillis) {
      Finding(
        "CLOCK_DIFFERS",
        Severity.Warning,
        f"the clock differs from the driver's by ${skew / 1000.0}%.1f s",
        "Times of files and of locks in shared folders would be wrong.",
        "Let NTP or chrony set the clocks of all nodes.",
        where,
      )
    } else Finding("CLOCK", Severity.Ok, "agrees with the driver's to 5 s", where = where)
  }
}
