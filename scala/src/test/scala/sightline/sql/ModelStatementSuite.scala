package sightline.sql

import org.apache.spark.sql.AnalysisException
import org.scalatest.funsuite.AnyFunSuite

import sightline.LocalSpark

final class ModelStatementSuite extends AnyFunSuite with LocalSpark {

  private def parsed(text: String) = ModelStatement.parse(text)

  private def refused(text: String): String =
    intercept[AnalysisException](parsed(text)).getMessage

  test("CREATE MODEL has a name and a path, and optionally a comment and options") {
    assert(
      parsed("CREATE MODEL fruits USING '/bundles/fruits'").contains(
        CreateModelCommand("fruits", "/bundles/fruits", None, Map.empty, false, false)
      )
    )
    assert(
      parsed(
        """-- the second one
          |create or replace model `fruits-v2` using "s3a://b/it's.zip"
          |comment 'it''s new' options (top_k 3, 'backend' = 'openvino');""".stripMargin
      ).contains(
        CreateModelCommand(
          "fruits-v2",
          "s3a://b/it's.zip",
          Some("it's new"),
          Map("top_k" -> "3", "backend" -> "openvino"),
          true,
          false,
        )
      )
    )
    assert(
      parsed("CREATE MODEL IF NOT EXISTS f USING 'x'").contains(
        CreateModelCommand("f", "x", None, Map.empty, false, true)
      )
    )
  }

  test("SHOW MODELS, DESCRIBE MODEL and DROP MODEL are parsed") {
    assert(parsed("SHOW MODELS").contains(ShowModelsCommand(None)))
    assert(parsed("show models like 'f*'").contains(ShowModelsCommand(Some("f*"))))
    assert(parsed("DESCRIBE MODEL f").contains(DescribeModelCommand("f", false)))
    assert(parsed("desc model extended f").contains(DescribeModelCommand("f", true)))
    assert(parsed("DROP MODEL f").contains(DropModelCommand("f", false)))
    assert(parsed("/* gone */ DROP MODEL IF EXISTS f").contains(DropModelCommand("f", true)))
  }

  test("all other statements are left to Spark") {
    Seq(
      "SELECT 1",
      "CREATE TABLE model (a INT)",
      "CREATE OR REPLACE TEMP VIEW model AS SELECT 1",
      "SHOW TABLES",
      "DESCRIBE model",
      "DESCRIBE model;",
      "/* a */ " * 40 + "SELECT 1",
      " " * 20000 + "SELECT 1",
      "DESCRIBE TABLE model",
      "DROP TABLE model",
    ).foreach(text => assert(parsed(text).isEmpty, text))
  }

  test("the error of a wrong statement has the unexpected token and the syntax") {
    val form = "Syntax: CREATE [OR REPLACE] MODEL [IF NOT EXISTS] name USING 'uri' " +
      "[COMMENT 'text'] [OPTIONS (key value, …)]"
    assert(refused("CREATE MODEL f") == s"WRONG_STATEMENT: expected USING but found the end. $form")
    assert(
      refused("CREATE MODEL f USING x") ==
        s"WRONG_STATEMENT: expected the bundle's path in quotes but found 'x'. $form"
    )
    assert(
      refused("DROP MODEL f g") ==
        "WRONG_STATEMENT: expected the end but found 'g'. Syntax: DROP MODEL [IF EXISTS] name"
    )
  }
}
