package sightline.sql

import org.scalatest.funsuite.AnyFunSuite

import sightline.SightlineException

final class SqlScriptSuite extends AnyFunSuite {

  private def texts(script: String): Seq[String] = SqlScript.parse(script).map(_.text)

  test("statements are parted by semicolons, the last of which may be left out") {
    assert(texts("SELECT 1; SELECT 2 ;\n\nSELECT\n 3") == Seq("SELECT 1", "SELECT 2", "SELECT\n 3"))
    assert(texts("SELECT 1;;\n;") == Seq("SELECT 1"))
  }

  test("semicolons within strings, names and comments part nothing") {
    Seq(
      "SELECT 'a;b' AS x",
      "SELECT \"a;b\" AS x",
      "SELECT 'it''s;' AS x",
      "SELECT 1 AS `a;b`",
      "SELECT 1 -- one; and more\n+ 1",
      "SELECT /* one; two */ 1",
    ).foreach(sql => assert(texts(s"$sql; SELECT 2") == Seq(sql, "SELECT 2")))
  }

  test("a statement's title and its note stand in a comment above it") {
    val script =
      """-- Cards and what they are.
        |CREATE VIEW cards AS SELECT 1;
        |
        |-- title: Prediction Details (onnx, on CPU)
        |SELECT * FROM cards;
        |  --title:   Confusion Matrix
        |-- With a word of explanation.
        |SELECT 2;
        |SELECT 3""".stripMargin
    val statements = SqlScript.parse(script)
    assert(
      statements.map(s => (s.title, s.note)) == Seq(
        (None, None),
        (Some("Prediction Details"), Some("onnx, on CPU")),
        (Some("Confusion Matrix"), None),
        (None, None),
      )
    )
    assert(statements(1).text.endsWith("SELECT * FROM cards"))
  }

  test("a script of nothing but comments is refused") {
    Seq("", " \n", ";", "-- nothing", "-- title: X\n", ";;\n-- end").foreach { script =>
      val error = intercept[SightlineException](SqlScript.parse(script))
      assert((error.code, error.exitStatus) == (("NO_SQL", 2)))
    }
  }

  test("comments after the last statement are no statement") {
    assert(texts("SELECT 1;\n-- the end\n") == Seq("SELECT 1"))
    assert(texts("SELECT 1;\n/* the end */\n") == Seq("SELECT 1"))
  }
}
