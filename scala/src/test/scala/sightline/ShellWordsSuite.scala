package sightline

import org.json4s.*
import org.json4s.jackson.JsonMethods
import org.scalatest.funsuite.AnyFunSuite

import sightline.{SightlineException, TestPython}

final class ShellWordsSuite extends AnyFunSuite {

  private val lines = Seq(
    "predict --images a" -> Seq("predict", "--images", "a"),
    "  two\t words  " -> Seq("two", "words"),
    "'a b' \"c d\" e\\ f" -> Seq("a b", "c d", "e f"),
    "a'b'\"c\"d" -> Seq("abcd"),
    "'' \"\"" -> Seq("", ""),
    "'a\\b $x \"q\"' \"it's \\\"so\\\" \\n\"" -> Seq("a\\b $x \"q\"", "it's \"so\" \\n"),
    "ü😀 'it'\"'\"'s'" -> Seq("ü😀", "it's"),
  )

  lines.foreach { case (line, words) => test(line)(assert(ShellWords.parse(line) == words)) }

  test("Python's shlex splits the texts into the same words") {
    val python = "import json, shlex, sys; print(json.dumps(shlex.split(sys.argv[1])))"
    lines.foreach { case (line, words) =>
      val parted = JsonMethods.parse(TestPython.run(python, arguments = Seq(line)))
      assert(parted == JArray(words.map(JString(_)).toList))
    }
  }

  test("a quote that is not closed is rejected") {
    Seq("predict 'a", "\"a\\\"").foreach { line =>
      val error = intercept[SightlineException](ShellWords.parse(line))
      assert(error.getMessage.startsWith("BAD_LINE: a quote ("))
    }
  }
}
