package sightline.cli

import java.time.Instant

import org.apache.spark.sql.SparkSession

import sightline.SightlineException

/** One line of a command and its arguments: help, a run, or a word on what is wrong. */
object CommandLine {

  /**
   * @param known the commands that the line may name
   * @param line a command's name and its arguments, at least the name
   * @param started from when on a user has waited for it
   * @param lend gives a session to the run of a command
   * @return the exit status: 0 done, 1 the run failed, 2 wrong use
   */
  def run(known: Seq[Command], line: Seq[String], started: Instant)(
      lend: (Command, SparkSession => Unit) => Unit
  ): Int = {
    val (name, arguments) = (line.head, line.tail)
    known.find(_.name == name) match {
      case Some(command) if arguments.contains("--help") || arguments.contains("-h") =>
        println(command.help)
        0
      case Some(command) =>
        Failure.statusOf {
          val run = command.prepare(arguments)
          lend(command, spark => run(Invocation(spark, arguments, started)))
        }
      case None =>
        Failure.statusOf(
          throw SightlineException(
            "UNKNOWN_COMMAND",
            "command" -> name,
            "known" -> known.map(_.name),
          )
        )
    }
  }
}
