package sightline.cli

import scala.util.control.NonFatal

import org.apache.hadoop.fs.UnsupportedFileSystemException

import sightline.SightlineException

/** What a person is told when a command fails, and the exit status that goes with it. */
object Failure {

  // A worker's own error, as it stands in the trace that Spark brings back.
  private val WorkerError = """(?m)^sightline\.errors\.\w+: ([A-Z_]+): (.*)$""".r

  // What `--on-error fail` raises in a task, as Spark wraps it.
  private val ImageFailed =
    """(?s)\[USER_RAISED_EXCEPTION\] (IMAGE_FAILED): (.*?)\s+SQLSTATE: \w+""".r

  /** 0 after `run`; 1 or 2, and a message on the error stream, when it throws. */
  def statusOf(run: => Unit): Int =
    try {
      run
      0
    } catch {
      case NonFatal(error) =>
        val causes = Iterator.iterate(error)(_.getCause).takeWhile(Option(_).isDefined).toSeq
        val known = causes.collectFirst {
          case ours: SightlineException => ours
          case scheme: UnsupportedFileSystemException => unknownScheme(scheme)
          case missing: ClassNotFoundException if missing.getMessage.contains("FileSystem") =>
            unknownScheme(missing)
        }
        val told = known.orElse(causes.flatMap(fromWorker).headOption).getOrElse {
          error.printStackTrace()
          SightlineException("RUN_FAILED", "reason" -> firstLine(causes.last))
        }
        System.err.println(s"sightline: ${told.getMessage}")
        told.exitStatus
    }

  private def unknownScheme(error: Exception): SightlineException =
    SightlineException("UNKNOWN_SCHEME", "reason" -> error.getMessage)

  private def fromWorker(error: Throwable): Option[SightlineException] =
    Option(error.getMessage).flatMap { message =>
      Seq(WorkerError, ImageFailed)
        .flatMap(_.findFirstMatchIn(message))
        .flatMap(found => SightlineException.relayed(found.group(1), found.group(2)))
        .headOption
    }

  private def firstLine(error: Throwable): String =
    Option(error.getMessage).flatMap(_.linesIterator.nextOption()).getOrElse(error.toString)
}
