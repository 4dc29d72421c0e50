package sightline.cli

import scala.util.control.NonFatal

import sightline.{ErrorTranslation, SightlineException}

/** What a person is told when a command fails, and the exit status that goes with it. */
object Failure {

  /** 0 after `run`; 1 or 2, and a message on the error stream, when it throws. */
  def statusOf(run: => Unit): Int =
    try {
      run
      0
    } catch {
      case NonFatal(error) =>
        val told = ErrorTranslation.translate(error).getOrElse {
          // Nobody has foreseen it, so its trace may help.
          error.printStackTrace()
          val reason = ErrorTranslation.firstLine(ErrorTranslation.causes(error).last)
          SightlineException("RUN_FAILED", "reason" -> reason)
        }
        System.err.println(s"sightline: ${told.getMessage}")
        told.exitStatus
    }
}
