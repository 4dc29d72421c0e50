package sightline.plan

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.execution.adaptive.AdaptiveSparkPlanHelper
import org.apache.spark.sql.sightline.WorkerErrorsExec
import org.scalatest.funsuite.AnyFunSuite

import sightline.AnsweredImages

final class InferMetricsSuite extends AnyFunSuite with AnsweredImages with AdaptiveSparkPlanHelper {

  /** The metrics of each inference in a query that has run, by their texts on Spark's page. */
  private def metrics(frame: DataFrame): Seq[Map[String, Long]] = {
    frame.collect(): Unit
    val nodes = collectWithSubqueries(frame.queryExecution.executedPlan) {
      case node: WorkerErrorsExec => node
    }
    nodes.map(node => node.metrics.values.map(one => one.name.getOrElse("") -> one.value).toMap)
  }

  private def only[A](found: Seq[A]): A = {
    assert(found.size == 1)
    found.head
  }

  test("Spark's page has the rows, errors, bytes and times of an inference") {
    withImages()
    val shown = only(metrics(spark.sql(s"SELECT id, $call.label FROM images")))
    // 24 rows: one without bytes, two that are no images.
    assert(shown("rows") == 24)
    assert(shown("rows sent to the model") == 23)
    assert(shown("errors: UNSUPPORTED") == 2)
    assert(shown("errors: CORRUPT") == 0)
    val bytes = spark.sql("SELECT sum(length(content)) FROM images").head().getLong(0)
    assert(shown("size of the inputs") == bytes)
    assert(shown("batches of the model") >= 2)
    Seq("decode CPU time", "model time").foreach(time => assert(shown(time) > 0, time))
  }

  test("each of two inferences in one query has its own metrics") {
    withImages()
    val frame = spark.sql(
      s"""SELECT id, $call.label, ml_features('$means', CASE WHEN id < 4 THEN content END) AS few
         |FROM images""".stripMargin
    )
    val found = metrics(frame).map(shown => shown("rows sent to the model"))
    assert(found.sorted == Seq(3, 23))
  }

  test("a table function has the same metrics") {
    withImages()
    val shown =
      only(metrics(spark.sql(s"SELECT prediction.label FROM ml_predict(TABLE(images), '$colour')")))
    assert((shown("rows"), shown("errors: UNSUPPORTED")) == ((24, 2)))
  }
}
