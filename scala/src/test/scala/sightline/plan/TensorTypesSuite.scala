package sightline.plan

import org.apache.spark.ml.linalg.Vectors
import org.apache.spark.mllib.linalg.Vectors as OldVectors
import org.apache.spark.sql.{AnalysisException, DataFrame, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.{LocalSpark, TensorBundle}

/** The types of values that become tensors, and the conversion of their numbers. */
final class TensorTypesSuite extends AnyFunSuite with LocalSpark {

  private val none: String = None.orNull
  private lazy val iris = TensorBundle.iris.folder.toString
  private lazy val counts = TensorBundle.counts.folder.toString
  private lazy val pixels = TensorBundle.pixels.folder.toString
  private lazy val flags = TensorBundle.flags.folder.toString
  private lazy val words = TensorBundle.words.folder.toString
  private lazy val lossy = "map('casts', 'lossy')"

  private def rows(sql: String): Seq[Row] = spark.sql(sql).collect().toSeq

  /** The error of a call, without its place in the query. */
  private def refused(call: String): String =
    intercept[AnalysisException](spark.sql(s"SELECT $call")).getMessage.replaceAll("; line .*", "")

  /** The view `vectors` in three partitions: id, and the numbers id, 0, 0, 1 in four kinds of vectors. */
  private def vectors(): DataFrame = {
    val session = spark
    import session.implicits.*
    val frame = (1 to 9).map { id =>
      val (at, values) = (Array(0, 3), Array(id.toDouble, 1.0))
      val all = Array(id.toDouble, 0, 0, 1)
      (
        id,
        Vectors.dense(all),
        Vectors.sparse(4, at, values),
        OldVectors.dense(all),
        OldVectors.sparse(4, at, values),
      )
    }
    val table = frame.toDF("id", "dense", "sparse", "old_dense", "old_sparse").repartition(3)
    table.createOrReplaceTempView("vectors")
    table
  }

  private val Kinds = Seq("dense", "sparse", "old_dense", "old_sparse")

  test("ML vectors, dense and sparse, of both packages give the rows of their arrays") {
    vectors(): Unit
    Kinds.foreach { kind =>
      val found = rows(
        s"""SELECT id, r.y, r.sum, r.error FROM
           |  (SELECT id, ml_predict('$iris', $kind) AS r FROM vectors) ORDER BY id""".stripMargin
      )
      assert(found == (1 to 9).map(id => Row(id, Seq(id.toFloat, 1f), id + 1f, none)), kind)
    }
  }

  test("ML vectors can be under a condition, grouped, shuffled, cached, and in a table") {
    vectors(): Unit
    val call = s"ml_predict('$iris', sparse).sum"
    assert(
      rows(s"SELECT sum(CASE WHEN id > 5 THEN $call END) FROM vectors") == Seq(Row(7f + 8 + 9 + 10))
    )
    assert(
      rows(s"""SELECT $call AS s, count(*) FROM
              |  (SELECT a.sparse FROM vectors a JOIN vectors b ON a.id < b.id AND b.id < 3)
              |GROUP BY 1""".stripMargin) == Seq(Row(2f, 1L))
    )
    assert(rows(s"SELECT max(id) FROM vectors WHERE $call < 4") == Seq(Row(2)))
    assert(
      rows(s"""SELECT id, x, prediction.sum, error FROM
              |  ml_predict(TABLE(SELECT id, sparse AS x FROM vectors WHERE id < 3), '$iris')
              |ORDER BY id""".stripMargin) == (1 to 2).map { id =>
        Row(id, Vectors.sparse(4, Array(0, 3), Array(id.toDouble, 1.0)), id + 1f, none)
      }
    )
    assert(
      rows(s"SELECT ml_predict('$iris', CAST(NULL AS ARRAY<DOUBLE>)) IS NULL") == Seq(Row(true))
    )
  }

  test("a vector of another length is a row error; for another rank or integers it is refused") {
    val session = spark
    import session.implicits.*
    Seq(1 -> Vectors.dense(1, 2), 2 -> Vectors.sparse(4, Nil), 3 -> None.orNull)
      .toDF("id", "v")
      .createOrReplaceTempView("lengths")
    assert(
      rows(
        s"""SELECT id, r IS NULL, r.sum, r.error.code FROM
              |  (SELECT id, ml_predict('$iris', v) AS r FROM lengths) ORDER BY id""".stripMargin
      ) ==
        Seq(
          Row(1, false, None.orNull, "INVALID_INPUT"),
          Row(2, false, 0f, none),
          Row(3, true, None.orNull, none),
        )
    )
    Seq(
      pixels -> "not ARRAY<ARRAY<SMALLINT>>. Input 'x' of the model is uint8 [n, 2, 2].",
      counts -> ("not ARRAY<INT>. Input 'x' of the model is int32 [n, 2]. The option " +
        "'casts' = 'lossy' cuts fractions and limits the range."),
    ).foreach { case (model, expected) =>
      val message = refused(s"ml_predict('$model', v) FROM lengths")
      assert(message == s"WRONG_COLUMN_TYPE: column 'lengths.v' of ml_predict is VECTOR, $expected")
    }
  }

  test("integers become floats; numbers with fractions are refused for integers unless lossy") {
    assert(rows(s"SELECT ml_predict('$iris', array(1, 2Y, 3L, 4S)).y") == Seq(Row(Seq(3f, 7f))))
    Seq(
      "DOUBLE" -> "array(1D, 2D)",
      "FLOAT" -> "array(1F, 2F)",
      "DECIMAL(2,1)" -> "array(1.0, 2.0)",
    )
      .foreach { case (element, value) =>
        val message = refused(s"ml_predict('$counts', $value)")
        assert(message.startsWith("WRONG_COLUMN_TYPE: column "), value)
        assert(
          message.endsWith(
            s" of ml_predict is ARRAY<$element>, not ARRAY<INT>. Input 'x' of the model is int32 " +
              "[n, 2]. The option 'casts' = 'lossy' cuts fractions and limits the range."
          ),
          value,
        )
      }
    val strings = refused(s"ml_predict('$counts', array('1'), $lossy)")
    assert(strings.endsWith("Input 'x' of the model is int32 [n, 2]."))
    val table = s"ml_predict(TABLE(SELECT array(1.5D, 2D) AS x), '$counts'"
    val error = intercept[AnalysisException](spark.sql(s"SELECT * FROM $table)"))
    assert(
      error.getMessage.startsWith("WRONG_COLUMN_TYPE: column 'x' of ml_predict is ARRAY<DOUBLE>")
    )
    assert(rows(s"SELECT prediction.y FROM $table, $lossy)") == Seq(Row(Seq(1, 2))))
  }

  test("lossy conversion cuts fractions, and limits numbers to the range of the tensor") {
    val found = rows(
      s"""SELECT id, r.y, r.error.code FROM (SELECT id, ml_predict('$counts', x, $lossy) AS r FROM
         |  VALUES (1, array(2.7D, -2.7D)), (2, array(1e12D, -1e12D)), (3, array(1D, double('NaN'))),
         |  (4, array(double('Infinity'), 0D)) AS t(id, x) DISTRIBUTE BY id) ORDER BY id""".stripMargin
    )
    assert(
      found == Seq(
        Row(1, Seq(2, -2), none),
        Row(2, Seq(Int.MaxValue, Int.MinValue), none),
        Row(3, None.orNull, "INVALID_INPUT"),
        Row(4, Seq(Int.MaxValue, 0), none),
      )
    )
    val decimals = rows(s"SELECT ml_predict('$counts', array(2.7BD, -3000000000000.5BD), $lossy).y")
    assert(decimals == Seq(Row(Seq(2, Int.MinValue))))
  }

  test("300 does not fit uint8: an error of the row, or 255 if lossy") {
    def of(options: String): Seq[Row] = rows(
      s"""SELECT id, CAST(r.y AS array<array<int>>), r.error.code, r.error.stage FROM
         |  (SELECT id, ml_predict('$pixels', x$options) AS r FROM
         |     VALUES (1, array(array(1, 300), array(-3, 4))), (2, array(array(1, 2), array(3, 255)))
         |     AS t(id, x) DISTRIBUTE BY id) ORDER BY id""".stripMargin
    )
    val good = Row(2, Seq(Seq(1, 2), Seq(3, 255)), none, none)
    assert(of("") == Seq(Row(1, None.orNull, "INVALID_INPUT", "feed"), good))
    assert(of(s", $lossy") == Seq(Row(1, Seq(Seq(1, 255), Seq(0, 4)), none, none), good))
  }

  test("boolean tensors take booleans, and numbers if lossy") {
    assert(
      rows(s"""SELECT id, ml_predict('$flags', x).y FROM
              |  VALUES (1, array(true, false)), (2, array(false, false)) AS t(id, x)
              |DISTRIBUTE BY id""".stripMargin).sortBy(_.getInt(0)) ==
        Seq(Row(1, Seq(false, true)), Row(2, Seq(true, true)))
    )
    val message = refused(s"ml_predict('$flags', array(1, 0))")
    assert(message.contains("is ARRAY<INT>, not ARRAY<BOOLEAN>. Input 'x' of the model is bool"))
    assert(
      rows(s"SELECT ml_predict('$flags', array(1, 0), $lossy).y") == Seq(Row(Seq(false, true)))
    )
    assert(
      refused(s"ml_predict('$iris', array(true))").contains("is ARRAY<BOOLEAN>, not ARRAY<FLOAT>.")
    )
  }

  test("float16 and unsigned tensors have the types of Spark that hold their numbers") {
    val most = "18446744073709551615"
    val frame = spark.sql(
      s"""SELECT id, r.of16, r.ou16, r.ou32, r.ou64, r.error.code FROM
         |  (SELECT id, ml_predict('${TensorBundle.types.folder}', a, b, c, d) AS r FROM VALUES
         |     (1, 0.5, 65535, 4294967295, ${most}BD), (2, 2, 65536, 1, 1BD), (3, 70000, 1, 1, 1BD),
         |     (4, 1, 1, -1, 1BD) AS t(id, a, b, c, d) DISTRIBUTE BY id) ORDER BY id""".stripMargin
    )
    assert(
      frame.schema.map(_.dataType.sql).slice(1, 5) == Seq("FLOAT", "INT", "BIGINT", "DECIMAL(20,0)")
    )
    val bad =
      (id: Int) => Row(id, None.orNull, None.orNull, None.orNull, None.orNull, "INVALID_INPUT")
    assert(
      frame.select("id", "of16", "ou16", "ou32", "ou64", "code").collect().toSeq == Seq(
        Row(1, 0.5f, 65535, 4294967295L, new java.math.BigDecimal(most), none),
        bad(2),
        bad(3),
        bad(4),
      )
    )
  }

  test("rows of a free axis have their own lengths; one name in two inputs is one length") {
    val found = rows(
      s"""SELECT id, r.y, r.sum, r.error.code FROM (SELECT id, ml_predict('$words', a, b) AS r FROM
         |  VALUES (1, array(1, 2), array(1, 0)), (2, array(3), array(1)),
         |  (3, array(1, 2, 3, 4), array(1, 1, 1, 1)), (4, array(1, 2), array(1)),
         |  (5, array(5, 6), array(1, 1)) AS t(id, a, b) DISTRIBUTE BY id) ORDER BY id""".stripMargin
    )
    assert(
      found == Seq(
        Row(1, Seq(1f, 0f), 1f, none),
        Row(2, Seq(3f), 3f, none),
        Row(3, Seq(1f, 2f, 3f, 4f), 10f, none),
        Row(4, None.orNull, None.orNull, "INVALID_INPUT"),
        Row(5, Seq(5f, 6f), 11f, none),
      )
    )
    val message = refused(s"ml_predict('$words', array(1), array(array(1)))")
    assert(
      message.endsWith(
        "is ARRAY<ARRAY<INT>>, not ARRAY<BIGINT>. Input 'mask' of the model is int64 [n, tokens]."
      )
    )
  }
}
