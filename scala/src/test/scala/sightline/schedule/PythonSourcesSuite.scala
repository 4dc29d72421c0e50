package sightline.schedule

import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters.*
import scala.util.Using

import org.scalatest.funsuite.AnyFunSuite

import sightline.TestPython

final class PythonSourcesSuite extends AnyFunSuite {

  private def sources(folder: Path): Map[String, String] =
    Using.resource(Files.walk(folder)) {
      _.iterator.asScala
        .filter(_.toString.endsWith(".py"))
        .map(file => folder.relativize(file).toString -> Files.readString(file))
        .toMap
    }

  test("the jar contains the Python package of the repository") {
    val packed = sources(PythonSources.folder)
    assert(packed == sources(TestPython.root.resolve("python/src")))
    assert(packed.contains("sightline/worker/spark_worker.py"))
  }

  test("sha256 is a SHA-256 in hexadecimal") {
    assert(PythonSources.sha256.matches("[0-9a-f]{64}"))
  }
}
