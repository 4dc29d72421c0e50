package sightline.source

import java.nio.file.{Files, Paths}

import org.json4s.*
import org.json4s.jackson.JsonMethods
import org.scalatest.funsuite.AnyFunSuite

final class SplitSuite extends AnyFunSuite {

  test("the split of a file is given by the nearest folder with a split's name") {
    // python/tests/source/test_split.py checks the same cases.
    val file = Files.readString(Paths.get("python/tests/source/splits.json"))
    val JObject(cases) = JsonMethods.parse(file): @unchecked
    assert(cases.size > 5)
    cases.foreach { case (path, split) =>
      assert(Split.of(path).fold[JValue](JNull)(JString(_)) == split, path)
    }
  }
}
