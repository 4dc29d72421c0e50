package sightline.cli

import java.nio.file.{Files, Path}
import java.time.Instant

import scala.jdk.CollectionConverters.*
import scala.util.Using

import org.scalatest.Assertion
import org.scalatest.funsuite.AnyFunSuite

import sightline.LocalSpark

/** Runs command lines in this JVM. */
trait CommandRuns extends LocalSpark { this: AnyFunSuite =>

  /** Runs a command line in the session of the suites, as `commands` runs its lines. */
  def run(arguments: Any*): Output = {
    val line = arguments.map(_.toString)
    Output.of(
      CommandLine.run(Main.single, line, Instant.now)((_, use) =>
        CommandsCommand.isolated(spark)(use(spark))
      )
    )
  }

  /** Runs a command line in a Spark session that it starts and stops, as `spark-submit` does. */
  def runAlone(arguments: Any*): Output = {
    spark.stop() // Its settings also apply to the session that the command starts.
    Output.of(Main.run(arguments.map(_.toString)))
  }

  /** The names of a folder's files and subfolders, sorted. */
  def names(folder: Path): Seq[String] =
    Using.resource(Files.list(folder))(_.iterator.asScala.map(_.getFileName.toString).toSeq.sorted)

  /** Checks for an error of wrong use on the driver: status 2, one line, no stack trace. */
  def assertWrong(output: Output, message: String): Assertion = {
    assert(output.status == 2, output.err)
    assert(output.lastError.startsWith(s"sightline: $message"))
    assert(!output.hasTrace, output.err)
  }
}
