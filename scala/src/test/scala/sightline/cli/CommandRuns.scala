package sightline.cli

import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters.*
import scala.util.Using

import org.scalatest.Assertion
import org.scalatest.funsuite.AnyFunSuite

import sightline.LocalSpark

/** Runs command lines in this JVM, each in a new Spark session. */
trait CommandRuns extends LocalSpark { this: AnyFunSuite =>

  // The settings of the suite's session also apply to the sessions that commands start.
  def run(arguments: Any*): Output = {
    spark.stop()
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
