package sightline.sql

import java.awt.Color
import java.nio.file.Path

import org.apache.spark.sql.{AnalysisException, Row}
import org.scalatest.BeforeAndAfterEach
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.{ColourBundle, LocalSpark, TestImage}

final class ImageInferenceFunctionSuite
    extends AnyFunSuite
    with LocalSpark
    with BeforeAndAfterEach {

  override def beforeEach(): Unit =
    spark.conf.set("spark.sightline.imageModel", ColourBundle.bundle.folder.toString)

  override def afterEach(): Unit = spark.conf.unset("spark.sightline.imageModel")

  private def images(folder: Path): Unit = {
    write(folder, "a red,%20ü.png", TestImage.of(Color.RED)): Unit
    write(folder, "blue.jpg", TestImage.of(Color.BLUE, "jpg")): Unit
    write(folder, "text.png", "no image"): Unit
    spark
      .sql(
        s"""SELECT * FROM VALUES (1, '$folder/a red,%20ü.png'), (2, '$folder/blue.jpg'),
           |  (3, '$folder/text.png'), (4, '$folder/gone.png'), (5, NULL), (6, '')
           |  AS t(id, path)""".stripMargin
      )
      .repartition(2)
      .createOrReplaceTempView("images")
  }

  private def collected(sql: String): Seq[Row] = spark.sql(sql).collect().toSeq

  private def refused(sql: String): String = {
    val error = intercept[AnalysisException](spark.sql(sql).collect())
    assert(Option(error.getCause).isEmpty, "spark-sql would print the cause's trace")
    assert(error.getMessage.linesIterator.size == 1)
    error.getMessage
  }

  test("get_image_inference_udf returns a label or an error, and NULL for a NULL path") {
    withFolder { folder =>
      images(folder)
      val rows = collected(
        """WITH answers AS (SELECT id, get_image_inference_udf(path, 'onnx') AS r FROM images)
          |SELECT id, r IS NULL, r.label, r.class_id, r.error.code, r.error.stage
          |FROM answers ORDER BY id""".stripMargin
      )
      assert(
        rows == Seq(
          Row(1, false, "red", 0, None.orNull, None.orNull),
          Row(2, false, "blue", 2, None.orNull, None.orNull),
          Row(3, false, None.orNull, None.orNull, "UNSUPPORTED", "decode"),
          Row(4, false, None.orNull, None.orNull, "NOT_FOUND", "read"),
          Row(5, true, None.orNull, None.orNull, None.orNull, None.orNull),
          Row(6, false, None.orNull, None.orNull, "NOT_FOUND", "read"),
        )
      )
    }
  }

  test("the result type is the same as in the program that the function replaces") {
    withFolder { folder =>
      images(folder)
      val frame = spark.sql("SELECT get_image_inference_udf(path, 'onnx') AS r FROM images")
      assert(
        frame.schema("r").dataType.catalogString ==
          "struct<label:string,class_id:int,confidence:float,probabilities:map<string,float>," +
          "error:struct<code:string,stage:string,message:string>>"
      )
    }
  }

  test("probabilities has every class, and confidence is the largest probability") {
    withFolder { folder =>
      images(folder)
      val rows = collected(
        """SELECT r.confidence, r.probabilities FROM (
          |  SELECT get_image_inference_udf(path, 'onnx') AS r FROM images WHERE id = 1)""".stripMargin
      )
      val probabilities = rows.head.getMap[String, Float](1)
      assert(probabilities.keySet == Set("red", "green", "blue"))
      assert(math.abs(probabilities.values.sum - 1) < 1e-5)
      assert(probabilities("red") == rows.head.getFloat(0))
    }
  }

  test("the function can be used in filters, groups, views and joins") {
    withFolder { folder =>
      images(folder)
      spark.sql(
        """CREATE OR REPLACE TEMPORARY VIEW answers AS
          |SELECT id, get_image_inference_udf(path, 'onnx') AS r FROM images""".stripMargin
      ): Unit
      assert(collected("SELECT id FROM answers WHERE r.label = 'blue'") == Seq(Row(2)))
      assert(
        collected("SELECT r.label, count(*) FROM answers GROUP BY 1 ORDER BY 1 NULLS LAST") ==
          Seq(Row("blue", 1L), Row("red", 1L), Row(None.orNull, 4L))
      )
      assert(
        collected(
          "SELECT a.id FROM answers a JOIN answers b ON a.r.label = b.r.label ORDER BY 1"
        ) ==
          Seq(Row(1), Row(2))
      )
    }
  }

  test("the function accepts the column path of format sightline") {
    withFolder { folder =>
      images(folder)
      spark.read.format("sightline").load(folder.toString).createOrReplaceTempView("listed")
      assert(
        collected(
          """SELECT relative_path, get_image_inference_udf(path, 'onnx').label FROM listed
            |ORDER BY 1""".stripMargin
        ) == Seq(
          Row("a red,%20ü.png", "red"),
          Row("blue.jpg", "blue"),
          Row("text.png", None.orNull),
        )
      )
    }
  }

  test("wrong use raises an error of one line before any task starts") {
    withFolder { folder =>
      images(folder)
      def call(arguments: String): String =
        refused(s"SELECT get_image_inference_udf($arguments) FROM images")
      assert(call("path, 'onx'").contains("UNKNOWN_BACKEND"))
      assert(call("path, 'onx'").contains("'onx'. Known: onnx"))
      // The default is pytorch, which this bundle does not have.
      assert(call("path").contains("no variant for backend 'pytorch'"))
      assert(
        call("path, path").contains("get_image_inference_udf: its backend must be a literal")
      )
      assert(call("").contains("WRONG_ARGUMENTS"))
      assert(call("path, 'onnx', 1").contains("it takes (path[, backend]), not 3."))
      spark.conf.set("spark.sightline.imageModel", "resnet5")
      assert(call("path, 'onnx'").contains("UNKNOWN_MODEL: 'resnet5'. Known: "))
    }
  }

  test("DESCRIBE FUNCTION shows the usage of get_image_inference_udf") {
    val text = collected("DESCRIBE FUNCTION EXTENDED get_image_inference_udf").map(_.getString(0))
    assert(text.exists(_.contains("get_image_inference_udf(path[, backend])")))
  }

  test("the function can be used without an alias in views and in GROUP BY") {
    withFolder { folder =>
      images(folder)
      spark.sql(
        """CREATE OR REPLACE TEMPORARY VIEW unnamed AS
          |SELECT id, get_image_inference_udf(path, 'onnx') FROM images""".stripMargin
      ): Unit
      val view = spark.table("unnamed")
      assert(view.columns.toSeq == Seq("id", "get_image_inference_udf(read_image(path))"))
      assert(view.count() == 6)
      assert(
        collected(
          """SELECT get_image_inference_udf(path, 'onnx').label AS label, count(*) FROM images
            |GROUP BY get_image_inference_udf(path, 'onnx').label ORDER BY 1 NULLS LAST""".stripMargin
        ) == Seq(Row("blue", 1L), Row("red", 1L), Row(None.orNull, 4L))
      )
    }
  }

  test("a path that is not a string is rejected during analysis") {
    Seq("12", "X'FFD8'").foreach { value =>
      val error = intercept[AnalysisException](
        spark.sql(s"SELECT get_image_inference_udf($value, 'onnx')")
      )
      assert(error.getMessage.contains("the path must be a string"))
    }
  }
}
