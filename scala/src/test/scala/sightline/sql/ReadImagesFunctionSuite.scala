package sightline.sql

import java.awt.Color
import java.nio.file.Path

import org.apache.spark.sql.{AnalysisException, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.{LocalSpark, TestImage}

final class ReadImagesFunctionSuite extends AnyFunSuite with LocalSpark {

  private def gallery(folder: Path): Unit = {
    (1 to 20).foreach(i => write(folder, f"red/$i%02d.png", TestImage.of(Color.RED)))
    write(folder, "empty.png", ""): Unit
  }

  private def collected(sql: String): Seq[Row] = spark.sql(sql).collect().toSeq

  /** The number of files that the query opened, from the data source's metric. */
  private def opened(sql: String): Long = {
    val frame = spark.sql(sql)
    frame.collect(): Unit
    frame.queryExecution.executedPlan
      .collectLeaves()
      .flatMap(_.metrics.get("sightlineFilesOpened"))
      .map(_.value)
      .sum
  }

  test("read_images lists a folder with the properties of each file") {
    withFolder { folder =>
      gallery(folder)
      val rows = collected(
        s"""SELECT relative_path, label, length > 0, content IS NULL, error.code
           |FROM read_images('$folder') ORDER BY 1 LIMIT 2""".stripMargin
      )
      assert(
        rows == Seq(
          Row("empty.png", None.orNull, false, false, None.orNull),
          Row("red/01.png", "red", true, false, None.orNull),
        )
      )
    }
  }

  test("read_images accepts named arguments") {
    withFolder { folder =>
      gallery(folder)
      assert(
        collected(
          s"SELECT count(*), max(label) FROM read_images(location => '$folder', limit => 5, labels => 'none')"
        ) == Seq(Row(5, None.orNull))
      )
    }
  }

  test("a query opens only the files whose content it uses") {
    withFolder { folder =>
      gallery(folder)
      assert(opened(s"SELECT path, length FROM read_images('$folder')") == 0)
      assert(opened(s"SELECT path, length(content) FROM read_images('$folder')") == 21)
      assert(opened(s"SELECT path, content FROM read_images('$folder') LIMIT 4") <= 5)
    }
  }

  test("wrong use raises an analysis error") {
    def refused(sql: String) = intercept[AnalysisException](collected(sql)).getMessage
    assert(
      refused("SELECT * FROM read_images()").startsWith(
        "WRONG_ARGUMENTS: read_images: its location"
      )
    )
    assert(
      refused("SELECT * FROM read_images('x', labels => 'best')")
        .startsWith("UNKNOWN_LABELS: labels 'best'. Known: ")
    )
  }
}
