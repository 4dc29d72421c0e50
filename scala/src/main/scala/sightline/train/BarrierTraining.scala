package sightline.train

import scala.annotation.tailrec
import scala.util.{Failure, Success, Try}

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.sightline.ArrowMap
import org.json4s.*
import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods

import sightline.{ErrorTranslation, SightlineException}

/**
 * Trains a network in the tasks of a barrier stage, one for each worker.
 *
 * If a worker is lost, Spark ends the stage: it repeats no barrier stage whose tasks return results.
 * This class starts it again as long as new checkpoints appear, and the workers continue from the
 * newest one.
 *
 * @param workers the number of workers, at least 1
 * @param checkpoints the folder of the checkpoints
 */
final class BarrierTraining(
    spark: SparkSession,
    python: TrainPython,
    workers: Int,
    checkpoints: Path,
    hadoop: Configuration,
) {

  import BarrierTraining.*

  /**
   * Trains to the last epoch.
   *
   * @param task what a worker needs to know, `WorkerTask` in Python without its device
   * @param device `auto`, `cpu` or `cuda`
   * @return one record for each epoch
   * @throws SightlineException errors of `run_worker` in Python; WORKER_LOST
   */
  def run(task: JObject, device: String): Seq[JValue] = {
    val spec = ("task" -> task) ~ ("workers" -> workers) ~ ("device" -> device) ~
      ("local" -> spark.sparkContext.isLocal)
    attempt(spec, failures = 0)
  }

  @tailrec
  private def attempt(spec: JObject, failures: Int): Seq[JValue] = {
    val before = files
    Try(trained(spec)) match {
      case Success(history) => history
      case Failure(error) if isLost(error) =>
        val more = if (files == before) failures + 1 else 1
        if (more >= Attempts) throw lost(error)
        System.err.println(
          "sightline: a worker ended; the training continues from the newest checkpoint."
        )
        attempt(spec, more)
      case Failure(error) => throw error
    }
  }

  private def trained(spec: JObject): Seq[JValue] = {
    val places = spark.range(0, workers.toLong, 1, workers).toDF()
    val worker = python.worker("train", spec)
    val events = ArrowMap(places, worker, "train", TrainPython.Events, isBarrier = true)
      .collect()
      .toSeq
      .map(row => JsonMethods.parse(row.getString(0)))
    val (errors, history) = events.partition(_ \ "error" != JNothing)
    // A worker that fails takes its connections with it, so the others report a lost worker.
    errors.map(event => failure(event \ "error")).sortBy(_.code == Lost).headOption match {
      case Some(error) => throw error
      case None => history
    }
  }

  private def failure(error: JValue): SightlineException =
    (error \ "code", error \ "message") match {
      case (JString(code), JString(message)) =>
        SightlineException
          .relayed(code, message)
          .getOrElse(SightlineException("RUN_FAILED", "reason" -> s"$code: $message"))
      case _ => SightlineException("RUN_FAILED", "reason" -> JsonMethods.compact(error))
    }

  private def files: Set[String] =
    Try(checkpoints.getFileSystem(hadoop).listStatus(checkpoints).map(_.getPath.getName).toSet)
      .getOrElse(Set.empty)
}

object BarrierTraining {

  private val Lost = "WORKER_LOST"

  /** The attempts without a new checkpoint. */
  private val Attempts = 3

  // Spark has no error classes for these in a failed job, only texts.
  private val Signs = Seq(
    "Python worker exited unexpectedly",
    "ExecutorLostFailure",
    "Could not recover from a failed barrier",
    "executor lost",
  )

  private def isLost(error: Throwable): Boolean = error match {
    case ours: SightlineException => ours.code == Lost
    case _ =>
      ErrorTranslation.causes(error).exists { cause =>
        Option(cause.getMessage).exists(text => Signs.exists(text.contains))
      } && ErrorTranslation.translate(error).forall(_.code == Lost)
  }

  private def lost(error: Throwable): SightlineException = error match {
    case ours: SightlineException => ours
    case _ =>
      SightlineException(
        Lost,
        "detail" -> (s"workers of this run ended $Attempts times without a new checkpoint: " +
          s"${ErrorTranslation.firstLine(error).take(300)} The run continues from the last " +
          "checkpoint when it is started again with --resume."),
      )
  }
}
