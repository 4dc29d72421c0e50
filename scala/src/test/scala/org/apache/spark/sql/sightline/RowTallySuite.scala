package org.apache.spark.sql.sightline

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.functions.col
import org.scalatest.funsuite.AnyFunSuite

import sightline.LocalSpark

final class RowTallySuite extends AnyFunSuite with LocalSpark {

  private def rows: DataFrame = spark.sql(
    """SELECT path, if(code IS NULL, NULL, named_struct('code', code, 'stage', 'read', 'message', '')) AS error
      |FROM VALUES ('a', 'EMPTY'), ('b', NULL), ('c', 'IO'), ('d', 'EMPTY'), ('e', 'ODD')
      |  AS t(path, code)""".stripMargin
  )

  private def counter: RowCounts = RowCounts.register(spark, Seq("EMPTY", "IO"))

  private def counts(tallied: DataFrame): Map[String, Long] = {
    tallied.collect()
    tallied.queryExecution.executedPlan
      .collectFirst { case tally: RowTallyExec => tally }
      .get
      .metrics
      .map { case (name, metric) => name -> metric.value }
  }

  private val expected =
    Map("sightline rows" -> 5L, "sightline errors EMPTY" -> 2L, "sightline errors IO" -> 1L)

  test("rows are returned unchanged and are counted with their errors") {
    val tallied = RowTally(rows, "error", counter)
    assert(tallied.collect().toSeq == rows.collect().toSeq)
    assert(counts(RowTally(rows, "error", counter)) == expected)
  }

  test("errors are counted even if the query does not use their column") {
    val tallied = RowTally(rows, "error", counter)
    assert(counts(tallied.select("path")) == expected)
  }

  test("rows are counted before a later filter removes them") {
    val tallied = RowTally(rows, "error", counter)
    val kept = tallied.where(col("error").isNull)
    assert(counts(kept) == expected)
    assert(kept.select("path").collect().map(_.getString(0)).toSeq == Seq("b"))
  }

  test("an error with another code has no metric but is counted") {
    val all = counter
    RowTally(rows, "error", all).collect(): Unit
    assert((all.rows, all.errors) == ((5L, Map("EMPTY" -> 2L, "IO" -> 1L, "ODD" -> 1L))))
  }

  test("a label is known if it is one of the model's; a class id counts before a label") {
    val labels = spark.sql(
      """SELECT label, id, if(failed, named_struct('code', 'IO', 'stage', 'read', 'message', ''), NULL) AS error
        |FROM VALUES ('red', NULL, false), ('pink', NULL, false), ('pink', 1, false), ('red', 2, false),
        |  ('red', -1, false), (NULL, NULL, false), (NULL, 0, true), ('blue', NULL, true)
        |  AS t(label, id, failed)""".stripMargin
    )
    def counted(countsFailed: Boolean): (Long, Long) = {
      val found = LabelCounts.register(spark, ("label", "id"), Seq("red", "blue"), countsFailed)
      RowTally(labels, "error", RowCounts.register(spark, Nil, Some(found))).collect(): Unit
      (found.labelled, found.known)
    }
    assert(counted(countsFailed = true) == ((7L, 4L)))
    assert(counted(countsFailed = false) == ((5L, 2L)))
  }
}
