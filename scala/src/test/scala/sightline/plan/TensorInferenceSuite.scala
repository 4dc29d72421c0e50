package sightline.plan

import org.apache.spark.sql.execution.adaptive.AdaptiveSparkPlanHelper
import org.apache.spark.sql.execution.python.{ArrowEvalPythonExec, MapInArrowExec}
import org.apache.spark.sql.{AnalysisException, DataFrame, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.model.ResultType
import sightline.schedule.{Inference, WorkerCounters}
import sightline.sql.ImageInferenceFunction
import sightline.{LocalSpark, SightlineException, TensorBundle, TestImage}

/** SQL queries with models whose inputs are numbers (bundles of format 2). */
final class TensorInferenceSuite extends AnyFunSuite with LocalSpark with AdaptiveSparkPlanHelper {

  private lazy val iris = TensorBundle.iris.folder.toString
  private lazy val pixels = TensorBundle.pixels.folder.toString

  private def none: String = None.orNull

  private def only(sql: String): Row = spark.sql(sql).collect() match {
    case Array(row) => row
    case other => fail(s"${other.length} rows")
  }

  test("ml_predict runs a model on numbers") {
    val row = only(s"SELECT ml_predict('$iris', array(5.1, 3.5, 1.4, 0.2)).y AS y")
    val y = row.getSeq[Float](0)
    assert(y.size == 2)
    assert(math.abs(y(0) - 8.6) < 1e-5 && math.abs(y(1) - 1.6) < 1e-5)
  }

  test("the result has a field for each output with the output's rank, and the error") {
    val sql = s"SELECT ml_predict('$iris', array(1, 2, 3, 4)) AS r"
    assert(
      spark.sql(sql).schema("r").dataType.catalogString ==
        "struct<y:array<float>,sum:float,error:struct<code:string,stage:string,message:string>>"
    )
    assert(only(sql) == Row(Row(Seq(3f, 7f), 10f, none)))
  }

  test("every numeric type is accepted, and each row of many partitions gets its own result") {
    Seq("float", "double", "int", "bigint", "decimal(9, 2)").foreach { number =>
      val rows = spark
        .range(0, 100, 1, numPartitions = 7)
        .selectExpr("id", s"CAST(array(id, 1, 2, id) AS array<$number>) AS x")
        .selectExpr("id", s"ml_predict('$iris', x) AS r")
        .selectExpr("id", "r.y", "r.sum", "r.error")
        .collect()
      assert(rows.map(_.getLong(0)).sorted.toSeq == (0L until 100L), number)
      rows.foreach { row =>
        val id = row.getLong(0).toFloat
        assert(row.getSeq[Float](1) == Seq(id + 1, id + 2), number)
        assert(row.getFloat(2) == 2 * id + 3, number)
        assert(row.isNullAt(3), number)
      }
    }
  }

  test("a row of the wrong length, or with a NULL element, gives an error and no value") {
    val rows = spark
      .sql(s"""SELECT id, ml_predict('$iris', x) AS r FROM VALUES
              |  (1, array(1.0, 2.0, 3.0, 4.0)), (2, array(1.0, 2.0)), (3, array()),
              |  (4, array(1.0, NULL, 3.0, 4.0)), (5, NULL) AS t(id, x)""".stripMargin)
      .selectExpr("id", "r IS NULL", "r.sum", "r.y IS NULL", "r.error.code", "r.error.stage")
      .orderBy("id")
      .collect()
      .toSeq
    val invalid = (id: Int) => Row(id, false, None.orNull, true, "INVALID_INPUT", "feed")
    assert(
      rows == Seq(
        Row(1, false, 10f, false, none, none),
        invalid(2),
        invalid(3),
        invalid(4),
        Row(5, true, None.orNull, true, none, none),
      )
    )
  }

  test("nested arrays are tensors of a higher rank; a number that does not fit is an error") {
    val rows = spark
      .sql(s"""SELECT id, ml_predict('$pixels', x) AS r FROM VALUES
              |  (1, array(array(1, 2), array(3, 255))), (2, array(array(1, 2), array(3, 256))),
              |  (3, array(array(1, 2), array(3))) AS t(id, x)""".stripMargin)
      .selectExpr("id", "CAST(r.y AS array<array<int>>)", "r.error.code")
      .orderBy("id")
      .collect()
      .toSeq
    assert(
      rows == Seq(
        Row(1, Seq(Seq(1, 2), Seq(3, 255)), none),
        Row(2, None.orNull, "INVALID_INPUT"),
        Row(3, None.orNull, "INVALID_INPUT"),
      )
    )
  }

  test("a column of another type is rejected on the driver, and the error has the required type") {
    def refused(model: String, value: String): String =
      intercept[AnalysisException](spark.sql(s"SELECT ml_predict('$model', $value)")).getMessage
    val wrong = Seq("1.5", "'text'", "array('a')", "array(array(1.0))", "X'00'")
    wrong.foreach { value =>
      val message = refused(iris, value)
      assert(message.startsWith("WRONG_COLUMN_TYPE: "), value)
      assert(message.contains("not ARRAY<FLOAT>. Input 'x' of the model is float32 [n, 4]."), value)
    }
    Seq("array(1, 2)", "array(array(1.5))", "array(array(true))").foreach { value =>
      assert(refused(pixels, value).contains("not ARRAY<ARRAY<SMALLINT>>."), value)
    }
  }

  test("the table function reads the column with the input's name, and keeps the column") {
    spark
      .range(0, 20, 1, numPartitions = 3)
      .selectExpr("id", "array(id, 0, 0, 1) AS x")
      .createOrReplaceTempView("flowers")
    val frame = spark.sql(s"SELECT * FROM ml_predict(TABLE(flowers), '$iris')")
    assert(frame.columns.toSeq == Seq("id", "x", "prediction", "error"))
    val plan = frame.queryExecution.executedPlan
    assert(plan.collect { case node: MapInArrowExec => node }.size == 1)
    val rows = frame.selectExpr("id", "prediction.y", "prediction.sum", "error").collect()
    assert(rows.map(_.getLong(0)).sorted.toSeq == (0L until 20L))
    rows.foreach { row =>
      assert(row.getSeq[Float](1) == Seq(row.getLong(0).toFloat, 1f))
      assert(row.getFloat(2) == row.getLong(0).toFloat + 1 && row.isNullAt(3))
    }
    val missing = intercept[AnalysisException](
      spark.sql(s"SELECT * FROM ml_predict(TABLE(SELECT id FROM flowers), '$iris')")
    )
    assert(missing.getMessage.contains("UNKNOWN_COLUMN: the table of ml_predict has no column 'x'"))
  }

  test(
    "a model with several inputs accepts a value for each, or columns of a table"
  ) {
    val pair = TensorBundle.pair.folder.toString
    spark
      .range(1, 9, 1, numPartitions = 3)
      .selectExpr("id", "id AS a", "IF(id = 3, NULL, array(id, 1)) AS b", "'x' AS error")
      .createOrReplaceTempView("pairs")
    val expected = (1L to 8L).map { id =>
      if (id == 3) Row(id, None.orNull, "INVALID_INPUT")
      else Row(id, Seq(id.toFloat * id, id.toFloat), none)
    }
    val scalar = spark.sql(
      s"""SELECT id, r.y, r.error.code FROM
         |  (SELECT id, ml_predict('$pair', b => b, a => a) AS r FROM pairs) ORDER BY id""".stripMargin
    )
    assert(scalar.collect().toSeq == expected)
    val table = spark.sql(
      s"SELECT id, prediction.y, error.code FROM ml_predict(TABLE(pairs), '$pair') ORDER BY id"
    )
    assert(table.collect().toSeq == expected)
    val guarded = spark.sql(
      s"""SELECT id, CASE WHEN id > 5 THEN ml_predict('$pair', a, b).y END AS y
         |FROM pairs ORDER BY id""".stripMargin
    )
    assert(guarded.collect().map(_.isNullAt(1)).toSeq == (1 to 8).map(_ <= 5))
  }

  private def received(query: DataFrame): (Int, Double) = {
    def rows = WorkerCounters.of(spark.sparkContext).values.getOrElse("images", 0d)
    val before = rows
    query.collect(): Unit
    val nodes = collect(query.queryExecution.executedPlan) { case node: ArrowEvalPythonExec =>
      node
    }
    (nodes.size, rows - before)
  }

  test(
    "equal calls run once, a filter on another column is applied first, and no unused call runs"
  ) {
    val pair = TensorBundle.pair.folder.toString
    spark
      .range(0, 100, 1, numPartitions = 4)
      .selectExpr("id", "id AS a", "array(id, 1) AS b")
      .createOrReplaceTempView("many")
    val calls = s"ml_predict('$pair', a, b).y[0] AS y, ml_predict('$pair', b => b, a => a) AS r"
    val twice = spark.sql(s"SELECT id, $calls FROM many")
    assert(received(twice) == ((1, 100)))
    assert(twice.selectExpr("sum(y)", "sum(r.y[1])").collect().toSeq == Seq(Row(328350d, 4950d)))
    twice.createOrReplaceTempView("answers")
    assert(received(spark.sql("SELECT y FROM answers WHERE id % 10 = 3")) == ((1, 10)))
    assert(received(spark.sql("SELECT y FROM answers WHERE id < 20 AND r.y[1] > 3")) == ((1, 20)))
    assert(received(spark.sql("SELECT count(*), max(id) FROM answers")) == ((0, 0)))
    val join = spark.sql("SELECT sum(a.y + b.r.y[1]) FROM answers a JOIN answers b ON a.id = b.id")
    assert(received(join)._2 == 100 && join.collect().toSeq == Seq(Row(333300d)))
    val lossy = s"ml_predict('$pair', a, b, map('casts', 'lossy')).y[0]"
    assert(
      received(spark.sql(s"SELECT y, $lossy FROM (SELECT $calls, a, b FROM many)")) == ((2, 200))
    )
  }

  test("a row without inputs has an error in a table with columns that no worker can transport") {
    val query = s"""SELECT id, prediction.sum, error.code FROM ml_predict(TABLE(
      |  SELECT id, make_ym_interval(1, 2) AS age, IF(id = 1, NULL, array(id, 0, 0, 1)) AS x
      |  FROM range(0, 3, 1, 2)), '$iris') ORDER BY id""".stripMargin
    assert(
      spark.sql(query).collect().toSeq ==
        Seq(Row(0, 1f, none), Row(1, None.orNull, "INVALID_INPUT"), Row(2, 3f, none))
    )
  }

  test("a model with several images reads the columns with the inputs' names") {
    val change = TensorBundle.change.folder.toString
    val (black, white) = (TestImage.of(java.awt.Color.BLACK), TestImage.of(java.awt.Color.WHITE))
    spark
      .createDataFrame(
        Seq((1, black, white, black), (2, white, black, black), (3, white, white, white))
      )
      .toDF("id", "before", "After", "content")
      .repartition(2)
      .createOrReplaceTempView("changes")
    val found = spark.sql(
      s"SELECT id, prediction.y, error FROM ml_predict(TABLE(changes), '$change') ORDER BY id"
    )
    val all = 255f * 12
    assert(
      found.collect().toSeq == Seq(Row(1, all, none), Row(2, -all, none), Row(3, 0f, none))
    )
  }

  test("an option for the bytes of an image is rejected for a model without an image") {
    Seq("content_column" -> "x", "keep_content" -> "true").foreach { case (option, value) =>
      val error = intercept[AnalysisException](
        spark.sql(
          s"""SELECT * FROM ml_predict(
             |  TABLE(SELECT array(1, 2, 3, 4) AS x), '$iris', map('$option', '$value'))""".stripMargin
        )
      )
      assert(error.getMessage.startsWith("INVALID_OPTION: "), option)
      assert(error.getMessage.contains("The model takes no image."), option)
    }
  }

  test("images are rejected for a model whose inputs are numbers") {
    val images = spark.range(1).selectExpr("X'00' AS __content", "NULL AS __error")
    val error = intercept[SightlineException](
      InferTable.images("predict", Inference(TensorBundle.iris), ResultType.TopK(), images)
    )
    assert(error.code == "NO_IMAGE_INPUT")
    spark.conf.set(ImageInferenceFunction.ModelSetting, iris)
    try {
      val call = intercept[AnalysisException](
        spark.sql("SELECT get_image_inference_udf('a.png', 'onnx')")
      )
      assert(call.getMessage.startsWith("NO_IMAGE_INPUT: model iris"))
    } finally spark.conf.unset(ImageInferenceFunction.ModelSetting)
  }

  test("ml_features rejects a model without a vector output") {
    val error =
      intercept[AnalysisException](spark.sql(s"SELECT ml_features('$iris', array(1, 2, 3, 4))"))
    assert(error.getMessage.startsWith("NO_FEATURES"))
  }
}
