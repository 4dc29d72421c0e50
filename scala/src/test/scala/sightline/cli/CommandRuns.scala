package sightline.cli

import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters.*
import scala.util.Using

import org.scalatest.Assertion
import org.scalatest.funsuite.AnyFunSuite

import sightline.LocalSpark

/** Command lines in this JVM, each in a Spark session of its own. */
trait CommandRuns extends LocalSpark { this: AnyFunSuite =>

  // The suite's session holds settings for those that commands start.
  def run(arguments: Any*): Output = {
    spark.stop()
    Output.of(Main.run(arguments.map(_.toString)))
  }

  /** What is in a folder, in the order of names. */
  def names(folder: Path): Seq[String] =
    Using.resource(Files.list(folder))(_.iterator.asScala.map(_.getFileName.toString).toSeq.sorted)

  /** Wrong use that is found on the driver: status 2, one sentence, and no trace. */
  def assertWrong(output: Output, message: String): Assertion = {
    assert(output.status == 2, output.err)
    assert(output.lastError.startsWith(s"sightline: $message"))
    assert(!output.hasTrace, output.err)
  }
}
