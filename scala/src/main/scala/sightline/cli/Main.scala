package sightline.cli

import java.time.Instant

import org.apache.logging.log4j.Level
import org.apache.logging.log4j.core.config.Configurator
import org.apache.spark.internal.Logging

import sightline.{BuildInfo, SightlineException}

/** `spark-submit sightline.jar COMMAND …`: exit status 0 done, 1 the run failed, 2 wrong use. */
object Main extends Logging {

  private val commands: Seq[Command] = Seq(PredictCommand, EvaluateCommand, SqlCommand)

  def main(arguments: Array[String]): Unit = {
    // Spark's own start-up notices would bury the run's; --conf spark.log.level brings them back.
    // Spark sets its levels when it first logs, so it must have done that before.
    log.debug("sightline {}", BuildInfo.version)
    Configurator.setRootLevel(Level.WARN)
    val status = run(arguments.toSeq)
    if (status != 0) sys.exit(status)
  }

  /** Runs a command line and gives its exit status. */
  def run(arguments: Seq[String]): Int = arguments match {
    case Nil | Seq("--help") | Seq("-h") | Seq("help") =>
      println(help)
      if (arguments.isEmpty) 2 else 0
    case Seq("--version") =>
      println(s"sightline ${BuildInfo.version}, built for Spark ${BuildInfo.sparkVersion}")
      0
    case _ =>
      val (name, rest) = (arguments.head, arguments.tail)
      commands.find(_.name == name) match {
        case Some(command) if rest.contains("--help") || rest.contains("-h") =>
          println(command.help)
          0
        case Some(command) => Failure.statusOf(execute(command, rest))
        case None =>
          Failure.statusOf(
            throw SightlineException.wrongUse(
              "UNKNOWN_COMMAND",
              s"'$name'. Known: ${commands.map(_.name).mkString(", ")}.",
            )
          )
      }
  }

  private def execute(command: Command, arguments: Seq[String]): Unit = {
    val started = Instant.now
    val run = command.prepare(arguments)
    val spark = Session.start(s"sightline ${command.name}")
    try run(Invocation(spark, arguments, started))
    finally spark.stop()
  }

  private def help: String = {
    val width = commands.map(_.name.length).max
    val list = commands.map(c => s"  ${c.name.padTo(width, ' ')}  ${c.summary}").mkString("\n")
    s"""Sightline ${BuildInfo.version}: vision models over image collections, from Spark.
       |
       |spark-submit sightline.jar COMMAND …
       |
       |$list
       |
       |spark-submit sightline.jar COMMAND --help tells a command's options, with an example.
       |From SQL: --jars sightline.jar --conf spark.sql.extensions=sightline.sql.SightlineExtensions""".stripMargin
  }
}
