package sightline.sql

import java.awt.Color
import java.nio.file.Path

import org.apache.spark.sql.execution.python.MapInArrowExec
import org.apache.spark.sql.{AnalysisException, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.{ColourBundle, LocalSpark, TestImage}

final class PredictTableFunctionSuite extends AnyFunSuite with LocalSpark {

  private val model = ColourBundle.bundle.folder.toString

  /** The view `images`: a red image, a blue image, a text, a missing file, and NULL. */
  private def images(folder: Path): Unit = {
    write(folder, "files/red/a.png", TestImage.of(Color.RED)): Unit
    write(folder, "files/blue/b.jpg", TestImage.of(Color.BLUE, "jpg")): Unit
    write(folder, "files/text.png", "no image"): Unit
    java.nio.file.Files.createSymbolicLink(folder.resolve("files/gone.png"), folder.resolve("x"))
    spark.read
      .format("sightline")
      .load(s"$folder/files")
      .selectExpr("relative_path AS name", "label", "length", "content", "error")
      .unionByName(spark.sql("SELECT 'null' AS name"), allowMissingColumns = true)
      .createOrReplaceTempView("images")
  }

  private def collected(sql: String): Seq[Row] = spark.sql(sql).collect().toSeq

  private val none: String = None.orNull

  test("the function returns the table's columns without the bytes, and a prediction or an error") {
    withFolder { folder =>
      images(folder)
      val rows = collected(
        s"""SELECT name, label, prediction.label, prediction.class_id, error.code, error.stage
           |FROM ml_predict(TABLE(images), '$model') ORDER BY name""".stripMargin
      )
      assert(
        rows == Seq(
          Row("blue/b.jpg", "blue", "blue", 2, none, none),
          Row("gone.png", none, none, None.orNull, "NOT_FOUND", "read"),
          Row("null", none, none, None.orNull, "EMPTY", "decode"),
          Row("red/a.png", "red", "red", 0, none, none),
          Row("text.png", none, none, None.orNull, "UNSUPPORTED", "decode"),
        )
      )
    }
  }

  test("the result's columns are known before the query runs") {
    withFolder { folder =>
      images(folder)
      val described = collected(s"DESCRIBE QUERY SELECT * FROM ml_predict(TABLE(images), '$model')")
      assert(
        described.map(row => s"${row.getString(0)} ${row.getString(1)}") == Seq(
          "name string",
          "label string",
          "length bigint",
          "prediction struct<label:string,class_id:int,score:float," +
            "top_k:array<struct<label:string,class_id:int,score:float>>>",
          "error struct<code:string,stage:string,message:string>",
        )
      )
    }
  }

  test("the function accepts named arguments, settings and keep_content") {
    withFolder { folder =>
      images(folder)
      spark.sql(
        "CREATE OR REPLACE TEMP VIEW jpegs AS SELECT name, content AS jpeg FROM images"
      ): Unit
      val rows = collected(
        s"""SELECT name, length(jpeg) > 0, size(prediction.top_k) FROM ml_predict(
           |  options => map('top_k', '2', 'content_column', 'jpeg', 'keep_content', 'true'),
           |  model => '$model', images => TABLE(SELECT * FROM jpegs WHERE name LIKE 'red%'))""".stripMargin
      )
      assert(rows == Seq(Row("red/a.png", true, 2)))
    }
  }

  test("the image is in the column content or in one with the input's name") {
    withFolder { folder =>
      images(folder)
      val input = ColourBundle.bundle.signature.inputs.head.tensor.name
      def labels(columns: String, options: String = "map()"): Seq[Row] = {
        val reds = s"TABLE(SELECT $columns FROM images WHERE label = 'red')"
        collected(s"SELECT prediction.label FROM ml_predict($reds, '$model', $options)")
      }
      val red = Seq(Row("red"))
      assert(input != "content")
      assert(labels("content") == red)
      assert(labels(s"content AS `${input.toUpperCase}`") == red)
      assert(labels(s"content, name AS `$input`") == red)
      assert(labels(s"name AS content, content AS `$input`") == red)
      val both = s"content, content AS `$input`"
      val error = intercept[AnalysisException](labels(both))
      assert(
        error.getMessage.startsWith(
          s"AMBIGUOUS_COLUMN: ml_predict needs one column '$input', but its table has content, " +
            s"$input. Set the column with the images' bytes by map('content_column', 'NAME')."
        )
      )
      Seq("content", input).foreach { name =>
        assert(labels(both, s"map('content_column', '$name')") == red)
      }
    }
  }

  test("the function can be used below filters and groups, and in views, CTEs and self-joins") {
    withFolder { folder =>
      images(folder)
      val call = s"SELECT * FROM ml_predict(TABLE(images), '$model')"
      spark.sql(s"CREATE OR REPLACE TEMP VIEW predicted AS $call"): Unit
      assert(
        collected(
          "SELECT prediction.label, count(*) FROM predicted GROUP BY 1 ORDER BY 1 NULLS LAST"
        ) ==
          Seq(Row("blue", 1L), Row("red", 1L), Row(none, 3L))
      )
      assert(collected("SELECT name FROM predicted WHERE prediction.label = 'red'").size == 1)
      assert(collected("SELECT a.name FROM predicted a JOIN predicted b USING (name)").size == 5)
      assert(
        collected(
          s"""WITH reds AS (SELECT * FROM images WHERE label = 'red'),
             |  p AS (SELECT * FROM ml_predict(TABLE(reds), '$model'))
             |SELECT p.name FROM p JOIN p q USING (name)""".stripMargin
        ) == Seq(Row("red/a.png"))
      )
    }
  }

  test("the plan has one mapInArrow, which receives only the bytes and the used columns") {
    withFolder { folder =>
      images(folder)
      val plan = spark
        .sql(s"SELECT name, prediction.label FROM ml_predict(TABLE(images), '$model')")
        .queryExecution
        .executedPlan
      val nodes = plan.collect { case node: MapInArrowExec => node }
      assert(nodes.map(_.child.output.map(_.name)) == Seq(Seq("name", "__input0", "__error")))
    }
  }

  test("a table's own columns prediction and error of any type are kept under other names") {
    withFolder { folder =>
      images(folder)
      val columns =
        "name, content, 'old' AS Prediction, 'mine' AS error, 7 AS input_error, 'x' AS prediction_label"
      val rows = spark.sql(
        s"""SELECT * FROM ml_predict(
           |  TABLE(SELECT $columns FROM images WHERE label = 'red'), '$model')""".stripMargin
      )
      assert(
        rows.columns.toSeq == Seq(
          "name",
          "input_Prediction",
          "input_input_error",
          "input_error",
          "prediction_label",
          "prediction",
          "error",
        )
      )
      assert(
        rows.drop("name").selectExpr("* EXCEPT (prediction)", "prediction.label").collect().toSeq ==
          Seq(Row("old", "mine", 7, "x", none, "red"))
      )
    }
  }

  test("the result keeps columns of types that a worker does not support") {
    withFolder { folder =>
      images(folder)
      val columns = Seq(
        "INTERVAL '3' MONTH",
        "INTERVAL '2' DAY",
        "make_interval(1, 2, 3)",
        "array()",
        "map()",
        "array(INTERVAL '1' YEAR)",
        "named_struct('none', array())",
        "parse_json('{\"a\": 1}')",
      )
      val odd = columns.zipWithIndex
        // Not a constant, because the optimizer would not send a constant through the worker.
        .map { case (text, i) => s"if(length(name) > 3, $text, NULL) AS c$i" }
        .mkString(", ")
      def shown(frame: String): Seq[Row] =
        collected(s"""SELECT name, label, error, code, ${columns.indices
            .map(i => s"to_json(struct(c$i)) AS j$i, string(c$i) AS t$i")
            .mkString(", ")} FROM ($frame) ORDER BY name""")
      // The reference: predictions without those columns, joined with the columns.
      collected(
        s"""CREATE OR REPLACE TEMP VIEW odd AS SELECT name, content, error, $odd FROM images"""
      )
      val plain = collected(
        s"""SELECT name, prediction.label, error.stage, error.code
           |FROM ml_predict(TABLE(SELECT name, content, error FROM images), '$model')""".stripMargin
      ).map(row => s"('${row.getString(0)}', ${row.toSeq.tail.map(quoted).mkString(", ")})")
      val expected = shown(
        s"""SELECT * FROM (SELECT * EXCEPT (content, error) FROM odd) JOIN (
           |  SELECT * FROM VALUES ${plain.mkString(", ")} AS t(name, label, error, code))
           |  USING (name)""".stripMargin
      )
      val found = shown(
        s"""SELECT * EXCEPT (prediction, error), prediction.label, error.stage AS error, error.code
           |FROM ml_predict(TABLE(odd), '$model')""".stripMargin
      )
      assert(found == expected)
      assert(found.size == 5)
    }
  }

  private def quoted(value: Any): String =
    Option(value).fold("CAST(NULL AS STRING)")(text => s"'$text'")

  test("wrong use raises an error of one line before any task starts") {
    withFolder { folder =>
      images(folder)
      def refused(call: String): String = {
        val error = intercept[AnalysisException](spark.sql(s"SELECT * FROM ml_predict($call)"))
        assert(Option(error.getCause).isEmpty, "spark-sql would print the cause's trace")
        assert(error.getMessage.linesIterator.size == 1, call + error.getMessage)
        error.getMessage
      }
      val table = "TABLE(images)"
      Seq(
        s"$table, 'resnet5'" -> "UNKNOWN_MODEL: 'resnet5'. Known: ",
        s"$table, concat('a', uuid())" -> "WRONG_ARGUMENTS: ml_predict: its model must be a literal",
        s"$table, NULL" -> "its model must be a literal",
        s"$table, 7" -> "its model must be a literal",
        table -> "WRONG_ARGUMENTS: ml_predict: its model is missing; it takes (images, model[, options]).",
        s"'$model', 'x'" -> "WRONG_ARGUMENTS: ml_predict: its first argument must be a table",
        s"$table, '$model', map(), 1" -> "it takes (images, model[, options]), not 4.",
        s"$table, '$model', model => 'x'" -> "'model' is given twice",
        s"$table, modell => '$model'" -> "'modell' is no parameter; it takes (images, model[, options]).",
        s"$table, '$model', 'fast'" -> "its options must be a literal map",
        s"$table, '$model', map('topk', 1)" -> "UNKNOWN_OPTION: 'topk'. Known: backend, ",
        s"$table, '$model', map('top_k', 0)" -> "INVALID_OPTION: top_k is '0'. It must be",
        s"$table, '$model', map('device', 'tpu')" -> "UNKNOWN_DEVICE: device 'tpu'. Known: auto",
        s"$table, '$model', map('backend', 'onx')" -> "UNKNOWN_BACKEND: ",
        s"TABLE(SELECT name FROM images), '$model'" ->
          "UNKNOWN_COLUMN: the table of ml_predict has no column 'content'",
        s"TABLE(SELECT name AS content FROM images), '$model'" ->
          "WRONG_COLUMN_TYPE: column 'content' of ml_predict is STRING, not BINARY.",
        s"TABLE(SELECT struct(content, error) AS content FROM images), '$model'" ->
          "WRONG_COLUMN_TYPE: column 'content' of ml_predict is STRUCT<",
        s"$table PARTITION BY (name), '$model'" -> "takes no PARTITION BY",
        s"$table WITH SINGLE PARTITION, '$model'" -> "takes no PARTITION BY",
      ).foreach { case (call, message) => assert(refused(call).contains(message)) }
    }
  }

  test("DESCRIBE FUNCTION shows both usages of ml_predict") {
    val text = collected("DESCRIBE FUNCTION EXTENDED ml_predict").map(_.getString(0))
    assert(text.exists(_.contains("ml_predict(model, input…[, options])")))
    assert(text.exists(_.contains("ml_predict(TABLE(images), model[, options])")))
  }
}
