package sightline.sql

import java.awt.Color

import org.apache.spark.sql.{AnalysisException, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.withFolder
import sightline.plan.SessionModels
import sightline.{ColourBundle, LocalSpark, TensorBundle, TestImage}

/** Calls of models with several inputs and outputs: by position, by name, and wrong ones. */
final class ModelFunctionSuite extends AnyFunSuite with LocalSpark {

  private val none: String = None.orNull
  private lazy val pair = TensorBundle.pair.folder.toString
  private lazy val mixed = TensorBundle.mixed.folder.toString
  private lazy val change = TensorBundle.change.folder.toString
  private lazy val embed = TensorBundle.embed.folder.toString

  private def rows(sql: String): Seq[Row] = spark.sql(sql).collect().toSeq

  /** The error of a call, without its place in the query. */
  private def refused(call: String): String =
    intercept[AnalysisException](spark.sql(s"SELECT $call")).getMessage.replaceAll("; line .*", "")

  private def floats(numbers: Int*): Seq[Float] = numbers.map(_.toFloat)

  /** The view `images` in two partitions: id, first, second, x. */
  private def images(): Unit = {
    val session = spark
    import session.implicits.*
    val (black, white) = (TestImage.of(Color.BLACK), TestImage.of(Color.WHITE))
    val bad = "no image".getBytes
    Seq(
      (1, black, white, Seq(1, 2)),
      (2, white, black, Seq(0, 3)),
      (3, white, bad, Seq(1)),
      (4, bad, white, Seq(1, 1)),
    ).toDF("id", "first", "second", "x").repartition(2).createOrReplaceTempView("images")
  }

  private val White = 255f * 12

  test("inputs are given by position, by name in any order and case, or first by position") {
    val options = "map('batch_rows', '3')"
    Seq(
      "a, b",
      s"a, b, $options",
      "B => b, a => a",
      "a, b => b",
      s"a, options => $options, b => b",
      s"b => b, a => a, options => $options",
    ).foreach { arguments =>
      val found = rows(
        s"""SELECT id, ml_predict('$pair', $arguments).y FROM
           |  (SELECT id, id AS a, array(id, 1) AS b FROM range(1, 7, 1, 3)) ORDER BY id""".stripMargin
      )
      assert(found == (1 to 6).map(id => Row(id, floats(id * id, id))), arguments)
    }
    assert(
      rows(s"SELECT ml_predict(b => array(1, 2), model => '$pair', a => 3).y") == Seq(
        Row(Seq(3f, 6f))
      )
    )
  }

  test("a model takes an image and numbers; an error of either is the error of its row") {
    images()
    val expected = Seq(
      Row(1, Seq(0f, 0f), none),
      Row(2, Seq(0f, 3 * White), none),
      Row(3, None.orNull, "INVALID_INPUT"),
      Row(4, None.orNull, "UNSUPPORTED"),
    )
    Seq("first, x", "photo => first, x => x", "x => x, content => first").foreach { arguments =>
      val found = rows(
        s"""SELECT id, r.y, r.error.code FROM
           |  (SELECT id, ml_predict('$mixed', $arguments) AS r FROM images) ORDER BY id""".stripMargin
      )
      assert(found == expected, arguments)
    }
    val table = rows(
      s"""SELECT id, prediction.y, error.code FROM
         |  ml_predict(TABLE(SELECT id, x, first AS content FROM images), '$mixed') ORDER BY id""".stripMargin
    )
    assert(table == expected)
  }

  test("a model takes two images") {
    images()
    val found = rows(
      s"""SELECT id, r.y, r.error.code FROM
         |  (SELECT id, ml_predict('$change', first, after => second) AS r FROM images) ORDER BY id""".stripMargin
    )
    assert(
      found == Seq(
        Row(1, White, none),
        Row(2, -White, none),
        Row(3, None.orNull, "UNSUPPORTED"),
        Row(4, None.orNull, "UNSUPPORTED"),
      )
    )
    val message = refused(s"ml_predict('$change', content => first) FROM images")
    assert(message.contains("'content' is no parameter. Known: model, before, after, options"))
  }

  test("a wrong number of inputs or an unknown name lists the model's inputs with their types") {
    val takes = s"; model '$pair' takes a FLOAT, b ARRAY<FLOAT>."
    Seq(
      "1" -> s"its b is missing$takes",
      "b => array(1)" -> s"its a is missing$takes",
      "map('casts', 'lossy')" -> s"its a is missing$takes",
      "1, array(1, 2), 3" -> s"3 inputs are given$takes",
      "1, c => 3" -> s"'c' is no parameter. Known: model, a, b, options$takes",
      "1, a => 3" -> s"'a' is given twice$takes",
      "struct(1 AS a, array(1, 2) AS b)" -> s"its b is missing$takes",
      "a => 1, array(1)" ->
        "an argument without a name follows one with a name; it takes (model, input…[, options]).",
      "1, array(1), map(), options => map()" ->
        "'options' is given twice; it takes (model, input…[, options]).",
    ).foreach { case (arguments, reason) =>
      assert(refused(s"ml_predict('$pair', $arguments)") == s"WRONG_ARGUMENTS: ml_predict: $reason")
    }
    assert(
      refused("ml_predict()").endsWith("its model is missing; it takes (model, input…[, options]).")
    )
    val casts = refused(s"ml_predict('$pair', 1, array(1), map('casts', 'best'))")
    assert(casts == "INVALID_OPTION: casts is 'best'. It must be exact or lossy.")
  }

  test("ml_features gives any output of features, with numbers or an image as input") {
    val found = spark.sql(
      s"""SELECT id, ml_features('$embed', x) AS one, ml_features('$embed', x, output => 'single') AS two,
         |  ml_features('$embed', x => x, output => 'Double', options => map('batch_rows', '2')) AS other
         |FROM (SELECT id, array(id, 1) AS x FROM range(0, 5, 1, 2))""".stripMargin
    )
    assert(found.schema("other").dataType.sql.startsWith("STRUCT<features: ARRAY<FLOAT>, error: "))
    assert(
      found
        .selectExpr("id", "one.features", "two.features", "other.features", "other.error")
        .orderBy("id")
        .collect()
        .toSeq == (0 to 4).map { id =>
        Row(id, floats(id, 1), floats(id, 1), floats(2 * id, 2), none)
      }
    )
    images()
    val means = ColourBundle.means.folder.toString
    val call = s"ml_features('$means', content => first, output => 'means')"
    assert(
      rows(s"SELECT $call.features FROM images WHERE id = 2") == Seq(Row(Seq(255f, 255f, 255f)))
    )
    assert(
      refused(s"ml_features('$embed', array(1, 2), output => 'y')") ==
        "WRONG_ARGUMENTS: ml_features: 'y' is no output of features. Known: single, double."
    )
    assert(refused(s"ml_features('$pair', 1, array(1))").startsWith("NO_FEATURES: "))
  }

  test("a model of tensors is created, described, used by its name in a view, and dropped") {
    withFolder { folder =>
      spark.conf.set(SessionModels.ModelsSetting, folder.toString)
      try {
        val created = rows(s"CREATE MODEL prices USING '$pair' OPTIONS (casts 'lossy')")
        assert(created == Seq(Row("prices", 1, TensorBundle.pair.sha256)))
        val described =
          rows("DESCRIBE MODEL prices").map(row => row.getString(0) -> row.getString(1)).toMap
        assert(described("inputs") == "a (tensor, float32 [n]), b (tensor, float32 [n, 2])")
        assert(described("outputs") == "y (tensor)" && described("options") == "casts=lossy")
        assert(described("ml_predict").startsWith("struct<y:array<float>,error:struct<"))
        val call = "ml_predict('prices', id, b => array(id, 1))"
        assert(
          rows(s"DESCRIBE QUERY SELECT $call.y AS y FROM range(3)").map(_.getString(1)) ==
            Seq("array<float>")
        )
        spark.sql(s"CREATE OR REPLACE TEMPORARY VIEW priced AS SELECT id, $call AS r FROM range(3)")
        assert(
          rows("SELECT id, r.y[0] FROM priced ORDER BY id") == (0 to 2).map(i =>
            Row(i, i * i.toFloat)
          )
        )
        assert(rows("DROP MODEL prices").isEmpty)
      } finally spark.conf.unset(SessionModels.ModelsSetting)
    }
  }
}
