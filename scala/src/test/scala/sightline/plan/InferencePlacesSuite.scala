package sightline.plan

import org.apache.spark.sql.functions.expr
import org.apache.spark.sql.{AnalysisException, Observation}
import org.scalatest.funsuite.AnyFunSuite

import sightline.AnsweredImages

/** `input_file_name()` in queries with a model call, and places where a call cannot be used. */
final class InferencePlacesSuite extends AnyFunSuite with AnsweredImages {

  test("input_file_name() in the same query as a call, or above it, is the file of the row") {
    withImages()
    val files =
      spark.sql("SELECT DISTINCT input_file_name() FROM images").collect().map(_.getString(0))
    assert(files.length == 4)
    val file = "regexp_extract(input_file_name(), 'part-([0-9]+)', 1)"
    Seq[(String, String)](
      s"SELECT id, $call.label, $file FROM images" ->
        "SELECT id, f.label, file FROM named",
      s"SELECT id, $file FROM images WHERE $call.label = 'red'" ->
        "SELECT id, file FROM named WHERE f.label = 'red'",
      s"SELECT id FROM images WHERE $call.label = 'red' AND $file > '00001'" ->
        "SELECT id FROM named WHERE f.label = 'red' AND file > '00001'",
      s"SELECT $file, r.label, id FROM (SELECT id, $call AS r FROM images) WHERE r.score > 0.5" ->
        "SELECT file, f.label, id FROM named WHERE f.score > 0.5",
      s"SELECT $file, count(*) FROM images WHERE $call.label = 'blue' GROUP BY 1" ->
        "SELECT file, count(*) FROM named WHERE f.label = 'blue' GROUP BY 1",
      s"SELECT id, top.label, $file FROM images LATERAL VIEW explode($call.top_k) AS top" ->
        "SELECT id, top.label, file FROM named LATERAL VIEW explode(f.top_k) AS top",
      s"SELECT id, prediction.label, $file FROM ml_predict(TABLE(images), '$colour')" ->
        "SELECT id, f.label, file FROM named",
    ).foreach { case (sql, right) =>
      val named = s"""WITH names AS (SELECT id, $file AS file FROM images),
        |named AS (SELECT answered.id, answer AS f, file FROM answered JOIN names USING (id))
        |$right""".stripMargin
      assert(rows(spark.sql(sql)) == rows(spark.sql(named)), sql)
    }
  }

  private def refused(sql: String): String =
    intercept[AnalysisException](spark.sql(sql).collect()).getMessage.linesIterator.next()

  test("input_file_name() is rejected in places where it would be the file of another row") {
    withImages()
    Seq(
      s"SELECT input_file_name(), r.label FROM (SELECT id, $call AS r FROM images) a JOIN range(30) b ON a.id = b.id",
      s"SELECT input_file_name() FROM (SELECT $call.label FROM images UNION ALL SELECT 'x')",
      s"WITH a AS (SELECT id, $call.label AS label FROM images) SELECT input_file_name(), label FROM a",
    ).foreach { sql =>
      assert(
        refused(sql).startsWith(
          "WRONG_PLACE: input_file_name cannot be used above a join, a union"
        ),
        sql,
      )
    }
  }

  test("a call in the condition of JOIN LATERAL is rejected") {
    withImages()
    Seq(
      s"SELECT * FROM images a JOIN LATERAL (SELECT a.id + 1 AS n) ON ml_predict('$colour', a.content).label = 'red'",
      s"SELECT * FROM images a LEFT JOIN LATERAL (SELECT b.content AS c FROM images b WHERE b.id = a.id) ON ml_predict('$colour', c).label = 'red'",
    ).foreach { sql =>
      val message = refused(sql)
      assert(
        message.startsWith("WRONG_PLACE: ml_predict cannot be used in a JOIN condition"),
        message,
      )
    }
  }

  test("a lateral join with a call's result gives the right rows") {
    withImages()
    val query: Query = (t, f) => s"""SELECT a.id, n, l FROM (SELECT id, $f.label AS l FROM $t) a
         |JOIN LATERAL (SELECT count(*) AS n FROM $t b WHERE b.folder = a.l)""".stripMargin
    assert(inferred(query) == expected(query))
  }

  test(
    "an observed metric can aggregate a call's result, but cannot call a model on an aggregate"
  ) {
    withImages()
    val observation = Observation("scores")
    val images = spark.table("images")
    images.observe(observation, expr(s"max($call.score) AS best")).collect(): Unit
    val best = spark.sql("SELECT max(answer.score) FROM answered").head().get(0)
    assert(observation.get("best") == best)

    val error = intercept[AnalysisException] {
      images
        .observe("label", expr(s"ml_predict('$colour', max_by(content, id)).label AS l"))
        .collect()
    }
    assert(error.getCondition == "WRONG_PLACE")
    assert(error.getMessage.contains("outside an aggregate function in an observed metric"))
  }
}
