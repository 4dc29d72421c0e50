package sightline.plan

import java.awt.Color

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.execution.adaptive.AdaptiveSparkPlanHelper
import org.apache.spark.sql.execution.exchange.ShuffleExchangeExec
import org.apache.spark.sql.functions.col
import org.scalatest.funsuite.AnyFunSuite

import sightline.{AnsweredImages, TestFolder, TestImage}

/** Inference below operators that run their input more than once: the model runs once. */
final class SortedInferenceSuite
    extends AnyFunSuite
    with AnsweredImages
    with AdaptiveSparkPlanHelper {

  /** Queries with an order of their rows. */
  private val sorted: Seq[(String, Query)] = Seq(
    "ORDER BY another column" -> ((t, f) => s"SELECT id, $f.label FROM $t ORDER BY id"),
    "ORDER BY the answer" -> ((t, f) => s"SELECT id, $f.label FROM $t ORDER BY $f.label, id DESC"),
    "ORDER BY … OFFSET" -> ((t, f) => s"SELECT id, $f.label FROM $t ORDER BY id OFFSET 20"),
    "ORDER BY above a broadcast join" -> ((t, f) =>
      s"SELECT a.id, b.k, a.l FROM (SELECT id, $f.label AS l FROM $t) a JOIN $t b ON a.id = b.id ORDER BY 1"
    ),
    "ORDER BY a window" -> ((t, f) =>
      s"SELECT id, row_number() OVER (PARTITION BY folder ORDER BY id), $f.label FROM $t ORDER BY id"
    ),
    "ORDER BY of two branches" -> ((t, f) =>
      s"SELECT id, $f.label FROM $t WHERE id <= 9 UNION ALL SELECT id, $f.label FROM $t WHERE id > 9 ORDER BY 1"
    ),
    "ORDER BY with the images" -> ((t, f) => s"SELECT id, content, $f.label FROM $t ORDER BY id"),
  )

  test("a sorted query infers each row once and returns the rows in order") {
    withImages()
    adaptiveAndNot { adaptive =>
      sorted.foreach { case (name, query) =>
        val result = Seq.newBuilder[String]
        val images = decoded(result ++= texts(spark.sql(query("images", call)).collect().toSeq))
        val answers = texts(spark.sql(query("answered", "answer")).collect().toSeq)
        def plain(text: String): String = text.replaceAll("\\[B@[0-9a-f]+", "bytes")
        assert(result.result().map(plain) == answers.map(plain), s"$name, $adaptive")
        assert(images == AllImages, s"$name, $adaptive")
      }
    }
  }

  test("ORDER BY decodes each of 500 images in eight partitions once") {
    val session = spark
    import session.implicits.*
    val image = TestImage.of(Color.BLUE)
    session.sparkContext
      .parallelize((1 to 500).map(id => (id * 7919 % 500, image)), 8)
      .toDF("id", "content")
      .createOrReplaceTempView("many")
    adaptiveAndNot { adaptive =>
      val ids = Seq.newBuilder[Int]
      val sql = s"SELECT id, $call.label FROM many ORDER BY id"
      assert(decoded(ids ++= spark.sql(sql).collect().map(_.getInt(0))) == 500, adaptive)
      assert(ids.result() == (0 until 500), adaptive)
    }
  }

  test("a table that is written sorted or partitioned by range is inferred once") {
    withImages()
    val answers = rows(spark.sql("SELECT id, answer.label FROM answered"))
    val query = s"SELECT id, $call.label AS label FROM images"
    def writes(folder: String): Seq[(String, () => Any)] = Seq(
      "CTAS" -> (() =>
        spark.sql(s"CREATE TABLE sorted USING parquet LOCATION '$folder' AS $query ORDER BY id")
      ),
      "write" -> (() => spark.sql(query).orderBy("label", "id").write.parquet(folder)),
      "repartitionByRange" -> (() =>
        spark.sql(query).repartitionByRange(3, col("label"), col("id")).write.parquet(folder)
      ),
      "hint" -> (() =>
        spark
          .sql(query.replace("SELECT", "SELECT /*+ REPARTITION_BY_RANGE(3, id) */"))
          .write
          .parquet(folder)
      ),
    )
    adaptiveAndNot { adaptive =>
      TestFolder.withFolder { folder =>
        try
          writes("").indices.foreach { index =>
            val (name, write) = writes(s"$folder/$index")(index)
            assert(decoded(write()) == AllImages, s"$name, $adaptive")
            assert(rows(spark.read.parquet(s"$folder/$index")) == answers, s"$name, $adaptive")
          }
        finally spark.sql("DROP TABLE IF EXISTS sorted"): Unit
      }
    }
  }

  test("the table function with ORDER BY infers each row once") {
    withImages()
    val sql =
      s"SELECT id, prediction.label, error.code FROM ml_predict(TABLE(images), '$colour') ORDER BY id"
    val answers =
      texts(
        spark
          .sql("SELECT id, answer.label, answer.error.code FROM answered ORDER BY id")
          .collect()
          .toSeq
      )
    adaptiveAndNot { adaptive =>
      val result = Seq.newBuilder[String]
      assert(decoded(result ++= texts(spark.sql(sql).collect().toSeq)) == AllImages, adaptive)
      // For a row without an image the table function gives an error and the scalar call gives NULL.
      assert(
        result.result().filterNot(_.startsWith("[11,")) == answers.filterNot(_.startsWith("[11,"))
      )
    }
  }

  test("a Cartesian product infers each row of both sides once") {
    withImages()
    val query: Query =
      (t, f) => s"""SELECT a.id, b.id, a.s > b.s FROM (SELECT id, k, $f.score AS s FROM $t) a
         |JOIN (SELECT id, k, $f.score AS s FROM $t WHERE k > 1) b ON a.k < b.k""".stripMargin
    val inRight = spark
      .sql("SELECT count(*) FROM answered WHERE k > 1 AND answer IS NOT NULL")
      .head()
      .getLong(0)
      .toInt
    adaptiveAndNot { adaptive =>
      withSettings("spark.sql.autoBroadcastJoinThreshold" -> "-1") {
        val frame = spark.sql(query("images", call))
        val result = Seq.newBuilder[String]
        assert(decoded(result ++= rows(frame)) <= AllImages + inRight, adaptive)
        assert(result.result() == expected(query), adaptive)
      }
    }
  }

  test("an outer nested-loop join infers each row of both sides once") {
    withImages()
    val few = "(SELECT id FROM range(5))"
    val queries: Seq[Query] = Seq(
      (t, f) =>
        s"SELECT a.id, a.l, b.id FROM (SELECT id, $f.label AS l FROM $t) a FULL JOIN $few b ON a.id < b.id",
      (t, f) => s"""SELECT /*+ BROADCAST(b) */ b.id, a.id, a.l FROM $few b
           |LEFT JOIN (SELECT id, $f.label AS l FROM $t) a ON a.id < b.id""".stripMargin,
      (t, f) =>
        s"""SELECT /*+ BROADCAST(b) */ b.id, a.id, a.l FROM (SELECT id, $f.label AS l FROM $t) a
           |RIGHT JOIN $few b ON a.id < b.id""".stripMargin,
    )
    adaptiveAndNot { adaptive =>
      queries.foreach { query =>
        val result = Seq.newBuilder[String]
        assert(decoded(result ++= inferred(query)) == AllImages, s"$adaptive: ${query("t", "f")}")
        assert(result.result() == expected(query), s"$adaptive: ${query("t", "f")}")
      }
    }
  }

  test("no shuffle is added if there is one between the model and the range partitioning") {
    withImages()
    def shuffles(frame: DataFrame): Int = {
      frame.collect(): Unit
      collect(frame.queryExecution.executedPlan) { case shuffle: ShuffleExchangeExec =>
        shuffle
      }.size
    }
    val query: Query = (t, f) => s"SELECT $f.label, count(*) FROM $t GROUP BY $f.label ORDER BY 1"
    adaptiveAndNot { adaptive =>
      val without = shuffles(spark.sql(query("answered", "answer")))
      assert(shuffles(spark.sql(query("images", call))) == without, adaptive)
    }
  }
}
