package sightline.cli

import java.time.Instant

import org.apache.spark.sql.SparkSession

import sightline.SightlineException

/** Runs one command line: prints help, runs a command, or prints an error. */
object CommandLine {

  /**
   * Runs a command line.
   *
   * @param known the commands that the line may name
   * @param line a command's name and its arguments
   * @param started the start of the program
   * @param withSession calls a command's run with a Spark session
   * @return the exit status: 0 for success, 1 if the run failed, 2 for wrong use
   */
  def run(known: Seq[Command], line: Seq[String], started: Instant)(
      withSession: (Command, SparkSession => Unit) => Unit
  ): Int = {
    val (name, arguments) = (line.head, line.tail)
    known.find(_.name == name) match {
      case Some(command) if arguments.contains("--help") || arguments.contains("-h") =>
        println(command.help)
        0
      case Some(command) =>
        Failure.statusOf {
          val run = command.prepare(arguments)
          withSession(command, spark => run(Invocation(spark, arguments, started)))
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
