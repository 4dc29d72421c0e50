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
}
