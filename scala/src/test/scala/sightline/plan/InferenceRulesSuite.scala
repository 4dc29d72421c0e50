package sightline.plan

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.classic.ClassicConversions.castToImpl
import org.apache.spark.sql.sightline.PlanFrame
import org.scalatest.funsuite.AnyFunSuite

import sightline.{AnsweredImages, TestFolder}

/** Sightline's rules on plans that they have already changed, because Spark can plan a query again. */
final class InferenceRulesSuite extends AnyFunSuite with AnsweredImages {

  private val queries: Seq[Query] = Seq(
    (t, f) => s"SELECT id, $f.label FROM $t",
    (t, f) => s"SELECT id, $f.label FROM $t WHERE $f.score > 0.5 AND folder = 'red'",
    (t, f) => s"SELECT id, CASE WHEN k > 1 THEN $f.label ELSE folder END FROM $t",
    (t, f) => s"SELECT $f.label, count(*) FROM $t GROUP BY $f.label HAVING max($f.score) > 0.1",
    (t, f) => s"SELECT folder, $f.label, count(*) FROM $t GROUP BY folder, ${key(f)}",
    (t, f) => s"SELECT id, $f.label FROM $t ORDER BY $f.score DESC, id",
    (t, f) => s"SELECT id, $f.label FROM $t ORDER BY id LIMIT 3 OFFSET 2",
    (t, f) => s"SELECT id, rank() OVER (PARTITION BY folder ORDER BY $f.score, id) FROM $t",
    (t, f) =>
      s"WITH a AS (SELECT id, $f AS r FROM $t) SELECT x.id, y.r.label FROM a x JOIN a y ON x.id = y.id",
    (t, f) => s"SELECT id FROM $t WHERE $f.score >= (SELECT max($f.score) FROM $t)",
    (t, f) => s"SELECT id FROM $t WHERE id IN (SELECT id FROM $t WHERE $f.label = 'red')",
    (t, f) =>
      s"SELECT $f.label FROM $t WHERE id < 3 UNION ALL SELECT $f.label FROM $t WHERE id > 20",
    (t, f) => s"SELECT a.l, $f.score FROM (SELECT *, nullif($f.label, 'red') AS l FROM $t) a",
    (t, f) => s"SELECT id, top.label FROM $t LATERAL VIEW explode($f.top_k) AS top",
    (t, f) => s"SELECT id, $f.label, input_file_name() IS NULL FROM $t",
  )

  private def key(answer: String): String = if (answer == call) "content" else s"content, $answer"

  private def rules: Seq[Rule[LogicalPlan]] =
    Seq(
      new ExtractInference(castToImpl(spark)),
      new ShareInference(castToImpl(spark)),
      OptimizeInference,
    )

  test("no rule changes a plan that it has already changed") {
    withImages()
    for {
      query <- queries
      plan = spark.sql(query("images", call)).queryExecution
      start <- Seq(plan.analyzed, plan.normalized, plan.optimizedPlan)
      rule <- rules
    } {
      val once = rule(start)
      val twice = rule(once)
      assert(twice == once, s"\n${rule.ruleName}\n$once\n$twice")
    }
  }

  test("a query that is planned again gives the same rows with the same inferences") {
    withImages()
    queries.foreach { query =>
      val sql = query("images", call)
      val plan = spark.sql(sql).queryExecution
      val answers = expected(query)
      def images(frame: => DataFrame): Int = {
        val result = Seq.newBuilder[String]
        val count = decoded(result ++= rows(frame))
        assert(result.result() == answers, sql)
        count
      }
      val once = images(spark.sql(sql))
      assert(images(PlanFrame(spark, plan.normalized)) == once, sql)
      // In an optimised plan two equal inferences may differ by the filters that were pushed into them.
      assert(images(PlanFrame(spark, plan.optimizedPlan)) >= once, sql)
    }
  }

  test(
    "INSERT INTO the table of a cached prediction writes its rows once, and the cache contains them"
  ) {
    withImages()
    TestFolder.withFolder { folder =>
      spark.sql(
        s"CREATE TABLE growing USING parquet LOCATION '$folder/growing' AS " +
          "SELECT id, folder, content FROM images WHERE id <= 6"
      ): Unit
      try {
        val self = s"SELECT a.id, b.r.label FROM (SELECT id, $call AS r FROM growing) a " +
          s"JOIN (SELECT id, $call AS r FROM growing) b ON a.id = b.id"
        spark.sql(s"CACHE TABLE labels AS SELECT id, $call.label FROM growing"): Unit
        val frame = spark.sql(self).cache()
        assert(frame.count() == 6)
        spark.sql(
          "INSERT INTO growing SELECT id, folder, content FROM images WHERE id IN (7, 8)"
        ): Unit
        spark.sql("INSERT INTO growing SELECT id, folder, content FROM images WHERE id = 9"): Unit
        val labels = spark
          .sql("SELECT id, answer.label FROM answered WHERE id <= 9")
          .collect()
          .map(_.toString)
          .sorted
          .toSeq
        assert(spark.table("growing").count() == 9)
        assert(rows(spark.table("labels")) == labels)
        assert(rows(frame) == labels)
        assert(rows(spark.sql(self)) == labels)
        // Spark finds the cached plan again.
        assert(decoded(rows(spark.table("labels"))) == 0)
        assert(decoded(rows(spark.sql(self))) == 0)
        spark.catalog.refreshTable("growing")
        assert(rows(frame) == labels)
        frame.unpersist(): Unit
      } finally {
        spark.sql("UNCACHE TABLE IF EXISTS labels"): Unit
        spark.sql("DROP TABLE growing"): Unit
      }
    }
  }

  test("WITH RECURSIVE around a call gives the right answers on each level") {
    withImages()
    val query: Query = (t, f) => s"""WITH RECURSIVE walk(id, label, depth) AS (
      |  SELECT id, $f.label, 1 FROM $t WHERE id <= 2
      |  UNION ALL
      |  SELECT t.id, t.label, depth + 1
      |  FROM walk JOIN (SELECT id, $f.label AS label FROM $t) t ON t.id = walk.id + 6)
      |SELECT * FROM walk""".stripMargin
    adaptiveAndNot(adaptive => assert(inferred(query) == expected(query), adaptive))
  }
}
