package sightline.report

import org.apache.spark.sql.sightline.{RowCounts, RowTally}
import org.scalatest.funsuite.AnyFunSuite

import sightline.LocalSpark

final class ProgressSuite extends AnyFunSuite with LocalSpark {

  test("a progress line has the rows, the rate, the errors and the remaining time") {
    assert(
      Progress.line("predict", rows = 1500, total = 6000, errors = 12, seconds = 30) ==
        "predict: 1,500 of 6,000 images (25%), 50.0 images/s, 12 errors, 90 s left"
    )
  }

  test("the remaining time is in seconds, minutes or hours") {
    def left(total: Long): String = Progress.line("p", 10, total, 0, 10).split(", ").last
    assert(left(10 + 120) == "2 min left")
    assert(left(129) == "119 s left")
    assert(left(10 + 3 * 60) == "3 min left")
    assert(left(10 + 2 * 3600 + 5 * 60) == "2 h 5 min left")
  }

  test("the first line ends with 'starting', and the last line with 'done'") {
    assert(
      Progress.line("p", 0, 10, 0, 0) == "p: 0 of 10 images (0%), 0.0 images/s, 0 errors, starting"
    )
    assert(Progress.line("p", 10, 10, 1, 2).endsWith("5.0 images/s, 1 errors, done"))
    assert(Progress.line("p", 0, 0, 0, 1).contains("(100%)"))
  }

  test("rows that are read twice do not raise the count above the total") {
    assert(Progress.line("pca_fit", 134, 132, 0, 2).startsWith("pca_fit: 132 of 132 images (100%)"))
  }

  private def errorsOf(rows: Long, partitions: Int): Map[String, Long] = {
    val frame = spark
      .range(0, rows, 1, partitions)
      .selectExpr(
        "if(id % 3 = 0, named_struct('code', if(id % 2 = 0, 'EMPTY', 'IO'), 'stage', '', 'message', ''), NULL) AS error"
      )
    val counts = RowCounts.register(spark, Seq("EMPTY", "IO"))
    val progress = Progress.start(spark, "p", rows, counts)
    RowTally(frame, "error", counts).where("error IS NULL").collect(): Unit
    progress.stop(spark)
    assert(counts.rows == rows)
    counts.errors
  }

  test("the errors of all rows are counted when a run has ended") {
    (1 to 10).foreach { _ =>
      assert(errorsOf(rows = 600, partitions = 20) == Map("EMPTY" -> 100L, "IO" -> 100L))
    }
  }

  test("a run without rows counts no errors") {
    assert(errorsOf(rows = 0, partitions = 2).isEmpty)
  }
}
