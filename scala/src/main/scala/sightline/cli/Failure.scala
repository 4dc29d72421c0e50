package sightline.cli

import scala.util.control.NonFatal

import sightline.{ErrorTranslation, SightlineException}

/** Reports the error of a command and gives its exit status. */
object Failure {

  /** 0 if `run` succeeds; else prints its error to standard error and returns 1 or 2. */
  def statusOf(run: => Unit): Int =
    try {
      run
      0
    } catch {
      case NonFatal(error) =>
        val failure = ErrorTranslation.translate(error).getOrElse {
          // The error has no condition of its own, so the stack trace may help.
          error.printStackTrace()
          val reason = ErrorTranslation.firstLine(ErrorTranslation.causes(error).last)
          SightlineException("RUN_FAILED", "reason" -> reason)
        }
        System.err.println(s"sightline: ${failure.getMessage}")
        failure.exitStatus
    }
}
