package sightline.plan

import org.apache.spark.SparkThrowable
import org.scalatest.funsuite.AnyFunSuite

import sightline.AnsweredImages

/** Conditions around a call: they select the inferred rows and do not change the result. */
final class GuardedInferenceSuite extends AnyFunSuite with AnsweredImages {

  /** Queries with conditions around a call. `10 / k` fails for k = 0. */
  private val guarded: Seq[Query] = Seq(
    (t, f) => s"SELECT id, k <> 0 AND CASE WHEN 10 / k > 4 THEN $f.label = 'red' END FROM $t",
    (t, f) => s"SELECT id FROM $t WHERE k <> 0 AND CASE WHEN 10 / k > 4 THEN $f.label = 'red' END",
    (t, f) => s"SELECT id, k = 0 OR CASE WHEN 10 / k > 4 THEN $f.label = 'red' END FROM $t",
    (t, f) => s"SELECT id FROM $t WHERE k = 0 OR CASE WHEN 10 / k > 4 THEN $f.label = 'red' END",
    (t, f) => s"SELECT id, IF(k <> 0, IF(10 / k > 4, $f.label, 'small'), 'zero') FROM $t",
    (t, f) =>
      s"SELECT folder, max(CASE WHEN 10 / k > 4 THEN $f.score END) FILTER (WHERE k <> 0) FROM $t GROUP BY folder",
    (t, f) =>
      s"SELECT id, coalesce(IF(k = 0, 'zero', NULL), CASE WHEN 10 / k > 4 THEN $f.label END) FROM $t",
    (t, f) => s"""SELECT id, CASE WHEN id IN (SELECT id FROM $t WHERE k <> 0)
         |THEN CASE WHEN 10 / k > 4 THEN $f.label END END FROM $t""".stripMargin,
    // The outer condition cannot be evaluated for all rows either.
    (t, f) =>
      s"""SELECT id, CASE WHEN id IN (SELECT id FROM $t WHERE k <> 0)
         |THEN f.l END FROM (SELECT id, IF(10 / nullif(k, 0) > 4, $f.label, '') AS l FROM $t) f""".stripMargin,
    (t, f) => s"""SELECT id, nullif(k, 0) + CASE WHEN 10 / k > 4 THEN CASE WHEN 5 / k > 1
         |THEN $f.class_id END END FROM $t""".stripMargin,
    // If k is NULL, AND would evaluate the second condition.
    (t, f) => s"""SELECT id, CASE WHEN k > 0 THEN CASE WHEN CAST(nvl2(k, '1', 'x') AS INT) = 1
         |THEN $f.label END END FROM $t""".stripMargin,
    // If k is 0, the sum is NULL, and its second part is not needed.
    (t, f) => s"SELECT id, nullif(k, 0) + IF(10 / k > 4, $f.class_id, 0) FROM $t",
    (t, f) => s"SELECT id, CASE WHEN 10 / nullif(k, 0) > 4 THEN $f.label END FROM $t",
    (t, f) =>
      s"SELECT id, nullif(CASE WHEN k <> 0 AND 10 / k > 4 THEN $f.label END, 'red') FROM $t",
    (t, f) =>
      s"SELECT id, k BETWEEN 1 AND CASE WHEN 10 / k > 4 THEN $f.class_id ELSE 3 END FROM $t",
    (t, f) => s"SELECT id, try_divide(10, k) > 4 AND $f.label = 'red' FROM $t",
    (t, f) => s"SELECT id, CASE WHEN k = 0 THEN 'zero' WHEN 10 / k > 4 THEN $f.label END FROM $t",
    (t, f) =>
      s"SELECT id, CASE WHEN $f.label = 'red' THEN CASE WHEN k <> 0 AND 10 / k > 4 THEN $f.score END END FROM $t",
  )

  test("a condition does not fail for a row for which the query does not evaluate it") {
    withImages()
    Seq("true", "false").foreach { ansi =>
      withSettings("spark.sql.ansi.enabled" -> ansi) {
        guarded.foreach { query =>
          assert(inferred(query) == expected(query), s"ANSI $ansi: ${query("t", "f")}")
        }
      }
    }
  }

  test("a failing input expression fails the query only if the row's answer is used") {
    withImages()
    def sql(t: String, answer: String => String): String =
      s"""SELECT id, CASE WHEN id IN (SELECT id FROM $t WHERE k <> 0)
         |THEN ${answer("IF(10 / k > 4, ?, NULL)")}.label END FROM $t""".stripMargin
    def call(image: String): String = s"ml_predict('$colour', ${image.replace("?", "content")})"
    def answer(image: String): String = image.replace("?", "answer")
    assert(rows(spark.sql(sql("images", call))) == rows(spark.sql(sql("answered", answer))))

    val always = s"SELECT ${call("IF(10 / k > 4, ?, NULL)")}.label FROM images"
    val error = intercept[SparkThrowable](spark.sql(always).collect())
    assert(error.getCondition == "DIVIDE_BY_ZERO")
  }

  test("a condition that fails for a row that needs it fails the query") {
    withImages()
    val query: Query = (t, f) => s"SELECT CASE WHEN 10 / k > 4 THEN $f.label END FROM $t"
    Seq(query("images", call), query("answered", "answer")).foreach { sql =>
      val error = intercept[SparkThrowable](spark.sql(sql).collect())
      assert(error.getCondition == "DIVIDE_BY_ZERO", sql)
    }
  }

  /** A query, and the ids of the rows that it must infer. */
  private val once: Seq[(String, Query)] = Seq(
    "k > 1" -> ((t, f) => s"SELECT id, CASE WHEN k > 1 THEN $f.label ELSE folder END FROM $t"),
    "folder = 'red'" -> ((t, f) => s"SELECT id, folder = 'red' AND $f.label = 'red' FROM $t"),
    "folder <> 'red'" -> ((t, f) => s"SELECT id, folder = 'red' OR $f.label = 'blue' FROM $t"),
    "folder = 'red'" -> ((t, f) =>
      s"SELECT k, avg($f.score) FILTER (WHERE folder = 'red') FROM $t GROUP BY k"
    ),
    // In the CASE of WHERE, and in SELECT for the remaining rows.
    "k > 1 OR (k <= 1 OR k IS NULL) AND folder = 'red'" -> ((t, f) =>
      s"SELECT id, $f.label FROM $t WHERE CASE WHEN k > 1 THEN $f.score > 0.5 ELSE folder = 'red' END"
    ),
    // A call without a condition outside, and one with a condition inside.
    "true" -> ((t, f) =>
      s"SELECT l, $f.score FROM (SELECT *, CASE WHEN k > 1 THEN $f.label END AS l FROM $t)"
    ),
    "k > 1 OR folder = 'red'" -> ((t, f) => s"""SELECT l, CASE WHEN folder = 'red' THEN $f.score END
         |FROM (SELECT *, CASE WHEN k > 1 THEN $f.label END AS l FROM $t)""".stripMargin),
    "k > 1" -> ((t, f) => s"""SELECT l, CASE WHEN k > 1 THEN $f.score END
         |FROM (SELECT *, CASE WHEN k > 1 THEN $f.label END AS l FROM $t)""".stripMargin),
    "true" -> ((t, f) =>
      s"""SELECT id, CASE WHEN k > 1 THEN l END, $f.label FROM (SELECT *, $f.score AS l FROM $t)
         |WHERE l > 0.1""".stripMargin
    ),
  )

  test("each needed row is inferred once, and no other row is inferred") {
    withImages()
    once.foreach { case (needed, query) =>
      val ideal = spark
        .sql(s"SELECT count(*) FROM answered WHERE content IS NOT NULL AND ($needed)")
        .head()
        .getLong(0)
      val result = Seq.newBuilder[String]
      assert(decoded(result ++= inferred(query)) == ideal, query("t", "f"))
      assert(result.result() == expected(query), query("t", "f"))
    }
  }

  test("a temporary SQL function around a call in SELECT and WHERE is one inference per row") {
    withImages()
    spark.sql(
      s"""CREATE OR REPLACE TEMPORARY FUNCTION label_of(image BINARY) RETURNS STRING
         |RETURN ml_predict('$colour', image).label""".stripMargin
    ): Unit
    try {
      Seq(
        "SELECT id, label_of(content) FROM images WHERE label_of(content) <> 'red'" ->
          "SELECT id, answer.label FROM answered WHERE answer.label <> 'red'",
        "SELECT label_of(content), count(*) FROM images WHERE label_of(content) > 'a' GROUP BY 1" ->
          "SELECT answer.label, count(*) FROM answered WHERE answer.label > 'a' GROUP BY 1",
        s"SELECT id, label_of(content), $call.score FROM images WHERE $call.score > 0.5" ->
          "SELECT id, answer.label, answer.score FROM answered WHERE answer.score > 0.5",
      ).foreach { case (sql, answered) =>
        val result = Seq.newBuilder[String]
        assert(decoded(result ++= rows(spark.sql(sql))) == AllImages, sql)
        assert(result.result() == rows(spark.sql(answered)), sql)
      }
    } finally spark.sql("DROP TEMPORARY FUNCTION label_of"): Unit
  }

  test("LIMIT with ORDER BY another column infers only the rows of the limit") {
    withImages()
    adaptiveAndNot { adaptive =>
      Seq(
        "SELECT id, ?.label FROM $ ORDER BY id LIMIT 4 OFFSET 5",
        "SELECT id, ?.label FROM $ ORDER BY folder, id DESC LIMIT 4 OFFSET 5",
        "SELECT l FROM (SELECT id + k AS s, id, ?.label AS l FROM $) ORDER BY s, id LIMIT 4 OFFSET 1",
      ).foreach { sql =>
        def text(t: String, f: String): String = sql.replace("$", t).replace("?", f)
        val result = Seq.newBuilder[String]
        val images =
          decoded(result ++= texts(spark.sql(text("images", call)).collect().toSeq))
        val answers = texts(spark.sql(text("answered", "answer")).collect().toSeq)
        assert(result.result() == answers, s"$adaptive: $sql")
        assert(images <= 4 && images >= 3, s"$adaptive: $sql")
      }
    }
  }
}
