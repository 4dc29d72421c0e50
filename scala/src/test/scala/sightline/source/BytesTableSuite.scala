package sightline.source

import java.nio.file.Path

import org.apache.spark.sql.Row
import org.apache.spark.sql.execution.FileSourceScanExec
import org.apache.spark.sql.execution.exchange.Exchange
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}

/** Tables that hold the images' bytes. */
final class BytesTableSuite extends AnyFunSuite with OpenedInputs {

  /** 200 images of 20 kB in row groups of about ten, and three rows without: one says why. */
  private def packed(folder: Path): String = {
    spark
      .range(0, 200, 1, 1)
      .selectExpr(
        "concat('/photos/', lpad(id, 3, '0'), '.jpg') AS path",
        "'cat' AS label",
        "id AS class_id",
        "if(id % 100 = 7, NULL, cast(lpad(id, 20000, '-') AS BINARY)) AS content",
        "if(id = 7, struct('DENIED' AS code, 'read' AS stage, 'no' AS message), NULL) AS error",
      )
      .write
      .option("compression", "none")
      .option("parquet.block.size", 200000)
      .option("parquet.page.size.row.check.min", 1)
      .parquet(s"$folder/photos.parquet")
    s"$folder/photos.parquet"
  }

  test("a table's bytes are the images, and its errors and nulls stay without") {
    withFolder { folder =>
      val input = open(packed(folder))
      assert(input.count == 200)
      assert(
        input.rows.columns.toSeq ==
          Seq("class_id", "path", "label", "label_id", "__content", "__error")
      )
      val rows = input.rows
        .orderBy("path")
        .selectExpr("path", "label_id", "trim('-' FROM string(__content))", "__error.code")
        .collect()
      assert(rows.length == 200)
      assert(rows(0) == Row("/photos/000.jpg", 0, "0", none))
      assert(rows(7) == Row("/photos/007.jpg", 7, none, "DENIED"))
      assert(rows(107) == Row("/photos/107.jpg", 107, none, none))
    }
  }

  test("a table of bytes is read in parts of its file, without a shuffle, and no other column") {
    withFolder { folder =>
      val rows = open(packed(folder)).rows
      val plan = rows.queryExecution.executedPlan
      assert(plan.collect { case exchange: Exchange => exchange }.isEmpty)
      // 4 MB make eight parts on two slots; the row groups are spread over them.
      val sizes = rows.rdd.mapPartitions(part => Iterator.single(part.size)).collect()
      assert(sizes.length >= 3)
      assert(sizes.max <= 100)
      val scan = rows.select("path").queryExecution.executedPlan.collectFirst {
        case scan: FileSourceScanExec => scan.requiredSchema.fieldNames.toSeq
      }
      assert(scan.contains(Seq("path")))
    }
  }

  test("a limit takes so many rows of a table of bytes") {
    withFolder { folder =>
      val table = packed(folder)
      Seq(3 -> 3L, 200 -> 200L, 500 -> 200L).foreach { case (limit, rows) =>
        val input = ImageInput.open(spark, ImageRequest(table, limit = Some(limit)))
        assert((input.count, input.rows.count()) == ((rows, rows)))
      }
    }
  }

  test("a column of bytes that is named is used, and content that is text is not") {
    withFolder { folder =>
      val table = s"$folder/t.parquet"
      spark
        .sql("SELECT 'a.jpg' AS path, X'41' AS jpeg, X'42' AS content, 'mine' AS error")
        .write
        .parquet(table)
      def content(table: TableColumns): Row = {
        val input = open(s"$folder/t.parquet", table)
        assert(input.rows.columns.count(_.startsWith("__")) == 2)
        input.rows.selectExpr("string(__content)", "__error.code").head()
      }
      assert(content(TableColumns(content = Some("jpeg"))) == Row("A", none))
      assert(content(TableColumns()) == Row("B", none))
      val csv = write(folder, "t.csv", "path,content\na.jpg,x\n")
      assert(texts(open(csv)).map(_.getString(1)) == Seq("NOT_FOUND"))
      assert(refused(csv, TableColumns(content = Some("content"))).startsWith("WRONG_COLUMN_TYPE"))
      val named = open(table, TableColumns(content = Some("jpeg"))).rows
      assert(
        named.columns.toSeq == Seq(
          "input_content",
          "input_error",
          "path",
          "label",
          "label_id",
          "__content",
          "__error",
        )
      )
      assert(
        named.selectExpr("string(input_content)", "input_error").head() == Row("B", "mine")
      )
    }
  }

  test("rows of bytes without a path are named by their file and number, wherever the table lies") {
    withFolder { folder =>
      def keys(table: String): Seq[String] =
        texts(open(table), "path").map(_.getString(0))
      spark
        .range(0, 3, 1, 1)
        .selectExpr("cast(string(id) AS binary) AS content")
        .write
        .parquet(s"$folder/a b%20ü+.parquet/k=1")
      val part =
        folder.resolve("a b%20ü+.parquet/k=1").toFile.list.filter(_.startsWith("part")).head
      assert(keys(s"$folder/a b%20ü+.parquet") == (0 to 2).map(n => s"k=1/$part#$n"))
      assert(keys(s"$folder/a b%20ü+.parquet/k=1/$part") == (0 to 2).map(n => s"$part#$n"))
      // Read in parts that share a file, a row is still called by its place in there.
      val many = packed(folder)
      spark.read
        .parquet(many)
        .select("content")
        .repartition(3)
        .write
        .option("parquet.block.size", 200000)
        .parquet(s"$folder/bytes.parquet")
      val found = open(s"$folder/bytes.parquet").rows
      assert(found.rdd.getNumPartitions >= 3)
      assert(found.select("path").distinct().count() == 200)
    }
  }
}
