package sightline.train

import java.io.PrintStream
import java.util.Locale
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.{AtomicInteger, AtomicLong, AtomicReference}

import scala.util.Try

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.json4s.*

import sightline.report.{DaemonTimer, RunRecord}

/**
 * Prints the lines of a training run: its progress, and each epoch that ends. The first worker writes
 * both to a file beside the checkpoints.
 */
final class TrainProgress(checkpoints: Path, hadoop: Configuration, out: PrintStream) {

  import TrainProgress.*

  private val file = new Path(checkpoints, "progress.json")
  private val isTerminal = Option(System.console).isDefined
  private val timer = DaemonTimer.start("sightline-train-progress")
  // An earlier run may have left the file.
  private val seen = new AtomicReference[JValue](RunRecord.read(file, hadoop))
  private val lastEpoch = new AtomicInteger(endedEpochs(seen.get))
  private val printed = new AtomicLong(System.nanoTime)

  timer.scheduleAtFixedRate(() => Try(poll()): Unit, Seconds, Seconds, TimeUnit.SECONDS): Unit

  /** Stops, and prints the epochs that ended since the last look. */
  def stop(history: Seq[JValue]): Unit = {
    timer.shutdownNow(): Unit
    timer.awaitTermination(1, TimeUnit.MINUTES): Unit
    history.foreach(record)
  }

  private def poll(): Unit = {
    val found = RunRecord.read(file, hadoop)
    if (found != JNothing && seen.getAndSet(found) != found) {
      found \ "record" match {
        case JNothing => progress(found)
        case ended => record(ended)
      }
    }
  }

  private def progress(state: JValue): Unit = {
    // A run that continues from a checkpoint repeats the epochs after it.
    lastEpoch.updateAndGet(math.min(_, endedEpochs(state))): Unit
    if (isTerminal) out.print(s"\r\u001b[K${progressLine(state)}")
    else if (System.nanoTime - printed.get >= FileSeconds * 1000000000L) {
      printed.set(System.nanoTime)
      out.println(progressLine(state))
    }
  }

  private def record(ended: JValue): Unit = {
    val epoch = number(ended, "epoch").toInt
    if (epoch > lastEpoch.get) {
      lastEpoch.set(epoch)
      out.println((if (isTerminal) "\r\u001b[K" else "") + recordLine(ended))
    }
  }
}

object TrainProgress {

  private val Seconds = 2L

  /** The interval between lines in a file; on a terminal one line changes. */
  private val FileSeconds = 10L

  implicit private val formats: Formats = DefaultFormats

  /** The epochs that had ended when the state was written. */
  private def endedEpochs(state: JValue): Int = state match {
    case JNothing => 0
    case _ if state \ "record" != JNothing => number(state \ "record", "epoch").toInt
    case _ => number(state, "epoch").toInt - 1
  }

  /** The line of `Progress.line` in Python. */
  def progressLine(state: JValue): String = {
    val left = math.rint(number(state, "seconds_left")).toLong
    String.format(
      Locale.ROOT,
      "epoch %d/%d, batch %d/%d: loss %.4f, %.1f images/s, data wait %.1f %%, %d:%02d left",
      number(state, "epoch").toLong,
      number(state, "epochs").toLong,
      number(state, "batch").toLong,
      number(state, "batches").toLong,
      number(state, "loss"),
      number(state, "images_per_second"),
      100 * number(state, "wait_share"),
      left / 60,
      left % 60,
    )
  }

  /** The line of `EpochRecord.line` in Python. */
  def recordLine(record: JValue): String = {
    val validation = for {
      loss <- (record \ "validation_loss").extractOpt[Double]
      top1 <- (record \ "validation_top1").extractOpt[Double]
    } yield String.format(
      Locale.ROOT,
      ", validation loss %.4f, top-1 %.1f %%",
      loss,
      100 * top1,
    )
    String.format(
      Locale.ROOT,
      "epoch %d: loss %.4f%s, %d images, %.1f images/s, data wait %.1f %%",
      number(record, "epoch").toLong,
      number(record, "loss"),
      validation.getOrElse(""),
      number(record, "samples").toLong,
      number(record, "images_per_second"),
      100 * number(record, "wait_share"),
    )
  }

  private def number(json: JValue, name: String): Double = (json \ name).extract[Double]
}
