package sightline.report

import java.util.concurrent.ConcurrentLinkedQueue

import scala.jdk.CollectionConverters.*

/** Wall-clock seconds of a run's stages, in their order. */
final class Stopwatch {
  private val stages = new ConcurrentLinkedQueue[(String, Double)]

  /** Runs `work` and notes how long it took, also when it fails. */
  def apply[A](stage: String)(work: => A): A = {
    val start = System.nanoTime
    try work
    finally stages.add(stage -> (System.nanoTime - start) / 1e9): Unit
  }

  def seconds: Seq[(String, Double)] = stages.asScala.toSeq
}
