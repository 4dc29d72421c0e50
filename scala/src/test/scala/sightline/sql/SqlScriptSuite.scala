package sightline.sql

import org.scalatest.funsuite.AnyFunSuite

import sightline.SightlineException

final class SqlScriptSuite extends AnyFunSuite {

  private def texts(script: String): Seq[String] = SqlScript.parse(script).statements.map(_.text)

  test("semicolons separate statements; the last semicolon is optional") {
    assert(texts("SELECT 1; SELECT 2 ;\n\nSELECT\n 3") == Seq("SELECT 1", "SELECT 2", "SELECT\n 3"))
    assert(texts("SELECT 1;;\n;") == Seq("SELECT 1"))
  }

  test("semicolons in strings, names and comments do not separate statements") {
    Seq(
      "SELECT 'a;b' AS x",
      "SELECT \"a;b\" AS x",
      "SELECT 'it''s;' AS x",
      "SELECT 1 AS `a;b`",
      "SELECT 1 -- one; and more\n+ 1",
      "SELECT /* one; two */ 1",
    ).foreach(sql => assert(texts(s"$sql; SELECT 2") == Seq(sql, "SELECT 2")))
  }

  test("a statement's title and note are in a comment above it") {
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
    val statements = SqlScript.parse(script).statements
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

  test("a script that contains only comments is rejected") {
    Seq("", " \n", ";", "-- nothing", "-- title: X\n", ";;\n-- end").foreach { script =>
      val error = intercept[SightlineException](SqlScript.parse(script))
      assert((error.code, error.exitStatus) == (("NO_SQL", 2)))
    }
  }

  test("comments after the last statement are not a statement") {
    assert(texts("SELECT 1;\n-- the end\n") == Seq("SELECT 1"))
    assert(texts("SELECT 1;\n/* the end */\n") == Seq("SELECT 1"))
  }

  test("a compound statement with the statements in it is one statement") {
    Seq(
      "BEGIN SELECT 1; SELECT 2; END",
      "begin\n  if x > 1 then select 1; elseif y then select 2; else select 3; end if;\nend",
      "BEGIN BEGIN SELECT 1; END; BEGIN END; END",
      "BEGIN lab: BEGIN SELECT 1; END lab; lop: LOOP LEAVE lop; END LOOP lop; END",
      "BEGIN NOT ATOMIC SELECT 1; END",
      "BEGIN WHILE i < 3 DO SET i = i + 1; END WHILE; LOOP LEAVE a; END LOOP; END",
      "BEGIN FOR r AS SELECT 1 DO SELECT 2; END FOR; REPEAT SELECT 1; UNTIL true END REPEAT; END",
      "BEGIN CASE WHEN a THEN SELECT 1; ELSE SELECT CASE b WHEN 1 THEN 2 END; END CASE; SELECT 3; END",
      "BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN SELECT 1; END; SELECT CASE WHEN a THEN 1 ELSE 2 END; END",
      "BEGIN SELECT start, end FROM t; SELECT t.end, begin FROM t WHERE end > begin; END",
      "BEGIN SELECT 'END;' AS `END;`; /* END; */ SELECT 2; -- END;\nEND",
    ).foreach { compound =>
      assert(texts(s"SELECT 0; $compound; SELECT 9;") == Seq("SELECT 0", compound, "SELECT 9"))
      assert(texts(compound) == Seq(compound))
    }
  }

  test("outside a compound statement begin, case and end are ordinary words") {
    assert(
      texts("SELECT begin, CASE WHEN a THEN 1 END FROM t; SELECT end, case FROM t; SELECT 2") ==
        Seq("SELECT begin, CASE WHEN a THEN 1 END FROM t", "SELECT end, case FROM t", "SELECT 2")
    )
  }

  test("a compound statement without END is passed to Spark unchanged") {
    assert(
      texts("SELECT 0; BEGIN SELECT 1; SELECT 2;") == Seq("SELECT 0", "BEGIN SELECT 1; SELECT 2;")
    )
  }

  test("statements are separated at the right place after characters outside the basic plane") {
    assert(texts("SELECT '😀;'; -- 😀;\nSELECT 2") == Seq("SELECT '😀;'", "-- 😀;\nSELECT 2"))
  }
}
