package sightline.report

import java.time.{Duration, Instant}
import java.util.Locale
import java.util.concurrent.ConcurrentLinkedQueue

import scala.jdk.CollectionConverters.*

/**
 * Measures the wall-clock seconds of a run's stages.
 *
 * @param started the start of the program; the time since then is the first stage, `startup`
 */
final class Stopwatch(started: Instant) {
  private val stages = new ConcurrentLinkedQueue[(String, Double)]
  stages.add("startup" -> sinceStart): Unit

  /** Runs `work` and records its duration, also if it fails. */
  def apply[A](stage: String)(work: => A): A = {
    val start = System.nanoTime
    try work
    finally stages.add(stage -> (System.nanoTime - start) / 1e9): Unit
  }

  /** The stages in their order, with their seconds. */
  def seconds: Seq[(String, Double)] = stages.asScala.toSeq

  /** The total time and the stages: `9.0 s: startup 5.1, list 0.3, other 0.2`. */
  def text: String = {
    val whole = sinceStart
    val other = math.max(0.0, whole - seconds.map(_._2).sum)
    val parts = (seconds :+ ("other" -> other)).map { case (stage, s) => s"$stage ${tenths(s)}" }
    s"${tenths(whole)} s: ${parts.mkString(", ")}"
  }

  private def sinceStart: Double = Duration.between(started, Instant.now).toNanos / 1e9

  private def tenths(seconds: Double): String = String.format(Locale.ROOT, "%.1f", seconds)
}
