package sightline.cli

import java.lang.management.ManagementFactory
import java.time.Instant

import org.apache.logging.log4j.Level
import org.apache.logging.log4j.core.config.Configurator
import org.apache.spark.internal.Logging
import org.apache.spark.sql.SparkSession

import sightline.BuildInfo

/** `spark-submit sightline.jar COMMAND …`: exit status 0 for success, 1 if the run failed, 2 for wrong use. */
object Main extends Logging {

  private[cli] val single: Seq[Command] =
    Seq(
      PredictCommand,
      FeaturesCommand,
      PcaCommand,
      EvaluateCommand,
      SqlCommand,
      PackImagesCommand,
      TrainCommand,
      DoctorCommand,
      PlanCommand,
    )
  private val commands: Seq[Command] = single :+ new CommandsCommand(single)

  def main(arguments: Array[String]): Unit = {
    // Hides Spark's start-up messages, unless --conf spark.log.level is set. Spark sets its log levels
    // at its first log statement, so that must come before.
    log.debug("sightline {}", BuildInfo.version)
    Configurator.setRootLevel(Level.WARN)
    Session.quiet.foreach(Configurator.setLevel(_, Level.ERROR))
    Session.silent.foreach(Configurator.setLevel(_, Level.OFF))
    val started = Instant.ofEpochMilli(ManagementFactory.getRuntimeMXBean.getStartTime)
    val status = run(arguments.toSeq, started)
    if (status != 0) sys.exit(status)
  }

  /** Runs a command line and returns its exit status; `started` is the start of the program. */
  def run(arguments: Seq[String], started: Instant = Instant.now): Int = arguments match {
    case Nil | Seq("--help") | Seq("-h") | Seq("help") =>
      println(help)
      if (arguments.isEmpty) 2 else 0
    case Seq("--version") =>
      println(s"sightline ${BuildInfo.version}, built for Spark ${BuildInfo.sparkVersion}")
      0
    case _ => CommandLine.run(commands, arguments, started)(withOwnSession)
  }

  private def withOwnSession(command: Command, use: SparkSession => Unit): Unit = {
    val spark = Session.start(s"sightline ${command.name}")
    try use(spark)
    finally spark.stop()
  }

  private def help: String = {
    val width = commands.map(_.name.length).max
    val list = commands.map(c => s"  ${c.name.padTo(width, ' ')}  ${c.summary}").mkString("\n")
    s"""Sightline ${BuildInfo.version}: vision models on image collections, from Spark.
       |
       |spark-submit sightline.jar COMMAND …
       |
       |$list
       |
       |spark-submit sightline.jar COMMAND --help prints a command's options and an example.
       |From SQL: --jars sightline.jar --conf spark.sql.extensions=sightline.sql.SightlineExtensions""".stripMargin
  }
}
