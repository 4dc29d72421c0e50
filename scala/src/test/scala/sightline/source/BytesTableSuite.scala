package sightline.source

import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters.*

import org.apache.spark.sql.Row
import org.apache.spark.sql.execution.FileSourceScanExec
import org.apache.spark.sql.execution.exchange.Exchange
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}

/** Tables with a column of the images' bytes. */
final class BytesTableSuite extends AnyFunSuite with OpenedInputs {

  /** 200 rows of 20 kB in row groups of about ten; two have no bytes, one of them an error. */
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

  test("the bytes are read from the table's column; rows with an error or NULL have no bytes") {
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

  test("a table of bytes is read in several partitions, without a shuffle or unused columns") {
    withFolder { folder =>
      val rows = open(packed(folder)).rows
      val plan = rows.queryExecution.executedPlan
      assert(plan.collect { case exchange: Exchange => exchange }.isEmpty)
      // 4 MB are split into eight partitions on two slots, which share the row groups.
      val sizes = rows.rdd.mapPartitions(part => Iterator.single(part.size)).collect()
      assert(sizes.length >= 3)
      assert(sizes.max <= 100)
      val scan = rows.select("path").queryExecution.executedPlan.collectFirst {
        case scan: FileSourceScanExec => scan.requiredSchema.fieldNames.toSeq
      }
      assert(scan.contains(Seq("path")))
    }
  }

  test("a limit is the maximum number of rows read from a table of bytes") {
    withFolder { folder =>
      val table = packed(folder)
      Seq(3 -> 3L, 200 -> 200L, 500 -> 200L).foreach { case (limit, rows) =>
        val input = ImageInput.open(spark, ImageRequest(table, limit = Some(limit)))
        assert((input.count, input.rows.count()) == ((rows, rows)))
      }
    }
  }

  test("bytes are read from the given column or from content, but not from a column of text") {
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

  test("the path of a row without a path column is its Parquet file and its row number") {
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
      // Several partitions read one file, and the row number still counts from the file's start.
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

  test("a table with a broken file is refused before its rows are read") {
    withFolder { folder =>
      spark
        .range(0, 4, 1, 2)
        .selectExpr("string(id) AS path", "int(id) AS class_id", "binary('x') AS content")
        .write
        .parquet(s"$folder/photos.parquet")
      val table = s"$folder/photos.parquet"
      val input = open(table)
      assert(input.count == 4)
      assert(
        texts(input, "label_id").map(_.getInt(0)) == Seq(0, 1, 2, 3)
      )
      val limited = ImageInput.open(spark, ImageRequest(table, limit = Some(3)))
      assert((limited.count, limited.rows.count()) == ((3, 3)))
      write(folder, "photos.parquet/part-99999.parquet", "no Parquet file at all"): Unit
      val message = refused(table)
      assert(message.startsWith(s"BAD_TABLE: $table"), message)
      assert(message.contains("part-99999.parquet is not a Parquet file"), message)
    }
  }

  test(
    "only the files that Spark reads are counted: no metadata, no empty file, none beside partitions"
  ) {
    withFolder { folder =>
      val table = s"$folder/photos.parquet"
      spark
        .range(0, 6, 1, 2)
        .selectExpr("string(id) AS path", "binary('x') AS content", "id % 2 AS day")
        .write
        .partitionBy("day")
        .parquet(table)
      spark
        .range(3)
        .selectExpr("'a' AS path", "binary('y') AS content")
        .coalesce(1)
        .write
        .parquet(s"$folder/more")
      val more = Files
        .list(folder.resolve("more"))
        .iterator
        .asScala
        .find(_.toString.endsWith(".parquet"))
        .get
      Seq("_metadata", "beside.parquet", "day=0/_common_metadata").foreach { name =>
        Files.copy(more, folder.resolve("photos.parquet").resolve(name))
      }
      write(folder, "photos.parquet/day=1/empty.parquet", ""): Unit
      val input = open(table)
      assert((input.count, input.rows.count()) == ((6, 6)))
    }
  }

  test("a file that Spark is told to skip is not counted") {
    withFolder { folder =>
      val table = s"$folder/photos.parquet"
      spark
        .range(0, 4, 1, 2)
        .selectExpr("string(id) AS path", "binary('x') AS content")
        .write
        .parquet(table)
      write(folder, "photos.parquet/part-99999.parquet", "no Parquet file at all"): Unit
      spark.conf.set("spark.sql.files.ignoreCorruptFiles", "true")
      try {
        val input = open(table)
        assert((input.count, input.rows.count()) == ((4, 4)))
      } finally spark.conf.unset("spark.sql.files.ignoreCorruptFiles")
    }
  }
}
