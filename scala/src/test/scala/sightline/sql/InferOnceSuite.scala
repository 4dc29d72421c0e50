package sightline.sql

import java.awt.Color

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.adaptive.AdaptiveSparkPlanHelper
import org.apache.spark.sql.execution.python.{ArrowEvalPythonExec, MapInArrowExec}
import org.scalatest.funsuite.AnyFunSuite

import sightline.schedule.WorkerCounters
import sightline.{ColourBundle, LocalSpark, TestImage}

/** However a query is written, no image is inferred twice, and none for nothing. */
final class InferOnceSuite extends AnyFunSuite with LocalSpark with AdaptiveSparkPlanHelper {

  private lazy val colour = ColourBundle.bundle.folder.toString
  private lazy val means = ColourBundle.means.folder.toString

  /**
   * A way to use a model.
   *
   * @param nodes how many times the plan infers
   * @param images how many images are decoded for it
   */
  private case class Shape(name: String, nodes: Int, images: Int, sql: String)

  /** `images`: eight red and blue images; `answers`: a view of them with the model's answer. */
  private def tables(): Unit = {
    val session = spark
    import session.implicits.*
    val red = TestImage.of(Color.RED)
    val blue = TestImage.of(Color.BLUE)
    (1 to 8)
      .map(id => (id, if (id <= 3) "red" else "blue", if (id <= 3) red else blue))
      .toDF("id", "folder", "content")
      .coalesce(1)
      .createOrReplaceTempView("images")
    spark.sql(
      s"""CREATE OR REPLACE TEMP VIEW answers AS
         |SELECT id, folder, content, ml_predict('$colour', content) AS r FROM images""".stripMargin
    ): Unit
  }

  private def shapes: Seq[Shape] = {
    val f = s"ml_predict('$colour', content)"
    Seq(
      Shape(
        "SELECT and WHERE on the score",
        1,
        8,
        s"SELECT $f.label FROM images WHERE $f.score > 0.5",
      ),
      Shape("view, filtered by its score", 1, 8, "SELECT r.label FROM answers WHERE r.score > 0.5"),
      Shape("view, called again", 1, 8, s"SELECT r.label, $f.score FROM answers"),
      Shape("GROUP BY the label", 1, 8, s"SELECT $f.label, count(*) FROM images GROUP BY $f.label"),
      Shape(
        "avg of the score, HAVING",
        1,
        8,
        s"SELECT folder, avg($f.score) FROM images GROUP BY folder HAVING max($f.score) > 0.1",
      ),
      Shape(
        "ORDER BY the score LIMIT",
        1,
        8,
        s"SELECT id, $f.label FROM images ORDER BY $f.score DESC LIMIT 2",
      ),
      Shape(
        "ORDER BY another column LIMIT",
        1,
        2,
        s"SELECT id, $f.label FROM images ORDER BY id LIMIT 2",
      ),
      Shape("LIMIT", 1, 2, s"SELECT id, $f.label FROM images LIMIT 2"),
      Shape(
        "filter on another column",
        1,
        3,
        "SELECT id, r.label FROM answers WHERE folder = 'red'",
      ),
      Shape(
        "filter on both",
        1,
        3,
        "SELECT id FROM answers WHERE r.label = 'red' AND folder = 'red'",
      ),
      Shape("count(*)", 0, 0, "SELECT count(*) FROM answers"),
      Shape("column not used", 0, 0, "SELECT id, folder FROM answers WHERE id > 2"),
      Shape(
        "CASE",
        1,
        3,
        s"SELECT id, CASE WHEN folder = 'red' THEN $f.label ELSE 'other' END FROM images",
      ),
      Shape("coalesce", 1, 5, s"SELECT coalesce(nullif(folder, 'blue'), $f.label) FROM images"),
      Shape(
        "two calls, equal arguments",
        1,
        8,
        s"SELECT $f.label, $f.score, size($f.top_k) FROM images",
      ),
      Shape(
        "two models",
        2,
        16,
        s"SELECT $f.label, ml_predict('$means', content).label FROM images",
      ),
      Shape(
        "a second model where the first says so",
        2,
        11,
        s"SELECT CASE WHEN $f.label = 'red' THEN ml_predict('$means', content).score END FROM images",
      ),
      Shape(
        "window",
        1,
        8,
        s"SELECT id, rank() OVER (PARTITION BY folder ORDER BY $f.score) FROM images",
      ),
      Shape(
        "explode of top_k",
        1,
        8,
        s"SELECT id, k.label FROM images LATERAL VIEW explode($f.top_k) t AS k",
      ),
      Shape(
        "table function, count(*)",
        0,
        0,
        s"SELECT count(*) FROM ml_predict(TABLE(images), '$colour')",
      ),
      Shape(
        "table function, filter on another column",
        1,
        3,
        s"SELECT id, prediction.label FROM ml_predict(TABLE(images), '$colour') WHERE folder = 'red' AND prediction.score > 0",
      ),
      Shape(
        "table function, LIMIT",
        1,
        2,
        s"SELECT id, prediction.label FROM ml_predict(TABLE(images), '$colour') LIMIT 2",
      ),
      Shape(
        "view joined with itself",
        1,
        8,
        "SELECT a.id, b.r.score FROM answers a JOIN answers b ON a.r.label = b.r.label",
      ),
      Shape(
        "CTE used twice",
        1,
        8,
        "WITH a AS (SELECT id, r FROM answers) SELECT x.r.label, y.id FROM a x JOIN a y ON x.id = y.id WHERE x.r.score > 0",
      ),
      Shape(
        "scalar subquery over the view",
        1,
        8,
        "SELECT id, r.label FROM answers WHERE r.score >= (SELECT max(r.score) FROM answers)",
      ),
      Shape(
        "UNION ALL of two filters",
        1,
        8,
        "SELECT id FROM answers WHERE r.label = 'red' UNION ALL SELECT id FROM answers WHERE r.label = 'blue'",
      ),
      Shape(
        "count(*) of the view beside it",
        1,
        3,
        "SELECT r.label FROM answers WHERE folder = 'red' AND (SELECT count(*) FROM answers) > 5",
      ),
      Shape(
        "UNION ALL of two limits",
        1,
        2,
        "(SELECT r.label FROM answers LIMIT 2) UNION ALL (SELECT r.label FROM answers LIMIT 2)",
      ),
      Shape(
        "two calls over one WITH",
        1,
        8,
        s"WITH a AS (SELECT id, content FROM images) SELECT x.r.label FROM (SELECT id, $f AS r FROM a) x JOIN (SELECT id, $f AS r FROM a) y ON x.id = y.id",
      ),
      Shape(
        "a random choice of images",
        1,
        8,
        s"SELECT id, ml_predict('$colour', IF(rand() < 2, content, NULL)).label FROM images",
      ),
      Shape(
        "CTE used once",
        1,
        8,
        "WITH a AS (SELECT id, r FROM answers) SELECT r.label, id FROM a WHERE r.score > 0",
      ),
    )
  }

  /** What ran: an exchange that is used again is one. */
  private def nodes(frame: DataFrame): Seq[SparkPlan] =
    collectWithSubqueries(frame.queryExecution.executedPlan) {
      case node: ArrowEvalPythonExec => node
      case node: MapInArrowExec => node
    }

  private val Received = "pythonNumRowsReceived"

  private def decoded(run: => Any): Int = {
    def now = WorkerCounters.ofSql(spark.sparkContext).values.getOrElse("decoded", 0d).toInt
    val before = now
    run: Unit
    now - before
  }

  test("each shape of a query infers as often, and decodes as many images, as it must") {
    tables()
    val found = shapes.map { shape =>
      val frame = spark.sql(shape.sql)
      val counted = decoded(frame.collect())
      val ran = nodes(frame)
      // A worker that is left before its end, as under a limit, sends no counts.
      val images = if (counted > 0) counted else ran.map(_.metrics(Received).value.toInt).sum
      shape.copy(nodes = ran.size, images = images)
    }
    val line = "%-45s %5s %5s %7s %5s"
    println(line.format("query", "nodes", "ideal", "decoded", "ideal"))
    shapes.zip(found).foreach { case (ideal, is) =>
      println(line.format(ideal.name, is.nodes, ideal.nodes, is.images, ideal.images))
    }
    assert(found == shapes)
  }

  test("a cached view is inferred when it is cached, and not again") {
    tables()
    spark.sql("CACHE TABLE answers"): Unit
    try {
      spark.table("answers").count(): Unit
      Seq(
        "SELECT r.label FROM answers WHERE r.score > 0.5",
        "SELECT a.id FROM answers a JOIN answers b ON a.r.label = b.r.label",
      ).foreach(sql => assert(decoded(spark.sql(sql).collect()) == 0, sql))
    } finally spark.sql("UNCACHE TABLE answers"): Unit
    assert(decoded(spark.sql("SELECT r.label FROM answers").collect()) == 8)
  }

  test("a frame joined with itself by the DataFrame API is inferred once, and right") {
    tables()
    val answers = spark.table("answers").selectExpr("id", "r.label AS label")
    val joined = answers.as("a").join(answers.as("b"), "label")
    val rows = Seq.newBuilder[Long]
    assert(decoded(rows += joined.count()) == 8)
    assert(rows.result() == Seq(3L * 3 + 5 * 5))
  }

  test("what is written by a command is inferred once too") {
    tables()
    sightline.TestFolder.withFolder { folder =>
      val insert = s"""INSERT OVERWRITE DIRECTORY '$folder/out' USING parquet
        |SELECT a.id, b.r.label FROM answers a JOIN answers b ON a.id = b.id WHERE a.r.score > 0""".stripMargin
      assert(decoded(spark.sql(insert)) == 8)
      assert(spark.read.parquet(s"$folder/out").count() == 8)
    }
  }
}
