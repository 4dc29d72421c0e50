package sightline.source

import java.nio.file.Path

import org.apache.spark.sql.Row
import org.apache.spark.sql.execution.FileSourceScanExec
import org.apache.spark.sql.execution.exchange.Exchange
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.{LocalSpark, SightlineException}

final class ImageInputSuite extends AnyFunSuite with LocalSpark {

  private def open(images: Any, table: TableColumns = TableColumns()): ImageInput =
    ImageInput.open(spark, ImageRequest(images.toString, table = table))

  /** Rows as texts, sorted by path: bytes as characters, an error as its code. */
  private def texts(input: ImageInput, columns: String*): Seq[Row] = {
    val shown = columns :+ "string(__content) AS content" :+ "__error.code AS code"
    input.rows.orderBy("path").selectExpr(shown: _*).collect().toSeq
  }

  private def none: String = None.orNull

  private def images(folder: Path): Unit =
    Seq("a.jpg", "in/b.jpg", "file with, comma.jpg", "ü \"q\".jpg").foreach { name =>
      write(folder, name, s"bytes of $name")
    }

  test("a folder's images have path and label, and no label id") {
    withFolder { folder =>
      images(folder)
      val input = open(folder)
      assert(input.count == 4)
      assert(input.rows.columns.toSeq == Seq("path", "label", "label_id", "__content", "__error"))
      val below =
        texts(input, "path", "label", "label_id").filter(_.getString(0).endsWith("in/b.jpg"))
      assert(
        below == Seq(Row(s"$folder/in/b.jpg", "in", None.orNull, "bytes of in/b.jpg", none))
      )
    }
  }

  test("a CSV's own columns come first, then path, label and label_id; all but the id are text") {
    withFolder { folder =>
      images(folder)
      val table = write(
        folder,
        "cards.csv",
        """note,image_path,actual_class,actual_class_id
          |007,a.jpg,valid,2
          |"x, y","file with, comma.jpg",font,1
          |,"ü ""q"".jpg",,
          |""".stripMargin,
      )
      val input = open(table)
      assert(input.count == 3)
      assert(
        input.rows.columns.toSeq == Seq(
          "note",
          "image_path",
          "actual_class",
          "actual_class_id",
          "path",
          "label",
          "label_id",
          "__content",
          "__error",
        )
      )
      assert(
        texts(input, "note", "path", "label", "label_id") == Seq(
          Row("007", "a.jpg", "valid", 2, "bytes of a.jpg", none),
          Row("x, y", "file with, comma.jpg", "font", 1, "bytes of file with, comma.jpg", none),
          Row(none, "ü \"q\".jpg", none, None.orNull, "bytes of ü \"q\".jpg", none),
        )
      )
    }
  }

  test("a table's own columns that are called as the run's are kept under names of their own") {
    withFolder { folder =>
      images(folder)
      val header =
        "path,label,label_id,Prediction,input_prediction,ERROR,content,error_code,__error,kept"
      val table = write(folder, "t.csv", s"$header\na.jpg,l,9,p,i,e,c,x,w,k\n")
      val input = open(table)
      val own = Seq(
        "input_input_Prediction" -> "p",
        "input_prediction" -> "i",
        "input_ERROR" -> "e",
        "input_content" -> "c",
        "input_error_code" -> "x",
        "input___error" -> "w",
        "kept" -> "k",
      )
      assert(
        input.rows.columns.toSeq ==
          own.map(_._1) ++ Seq("path", "label", "label_id", "__content", "__error")
      )
      assert(
        texts(input, own.map(_._1) ++ Seq("label", "label_id"): _*) ==
          Seq(Row(own.map(_._2) ++ Seq[Any]("l", 9, "bytes of a.jpg", none): _*))
      )
    }
  }

  test("columns of labels that are not looked at are kept like any other") {
    withFolder { folder =>
      images(folder)
      val table = write(folder, "t.csv", "path,label,label_id,image_path\nx.jpg,l,9,a.jpg\n")
      val unlabelled = ImageInput.open(
        spark,
        ImageRequest(
          table.toString,
          FolderLabels.Absent,
          TableColumns(path = Some("image_path")),
        ),
      )
      val own = Seq("input_path", "input_label", "input_label_id", "image_path")
      assert(
        texts(unlabelled, own :+ "label": _*) ==
          Seq(Row("x.jpg", "l", "9", "a.jpg", none, "bytes of a.jpg", none))
      )
    }
  }

  test("relative paths start from the table's folder, or from the root that is given") {
    withFolder { folder =>
      images(folder)
      val table =
        write(folder, "lists/t.csv", s"path\nb.jpg\n$folder/a.jpg\nfile://$folder/a.jpg\n")
      val codes =
        Map("b.jpg" -> "NOT_FOUND", s"$folder/a.jpg" -> none, s"file://$folder/a.jpg" -> none)
      texts(open(table), "path").foreach(row => assert(row.getString(2) == codes(row.getString(0))))
      val rooted = open(table, TableColumns(root = Some(s"$folder/in")))
      assert(texts(rooted, "path").map(_.getString(2)) == Seq(none, none, none))
    }
  }

  test("a Parquet table may be a folder, and its ids may be of any number type") {
    withFolder { folder =>
      images(folder)
      val table = s"$folder/cards.parquet"
      spark
        .sql(
          "SELECT 'a.jpg' AS file, 1L AS class_id, array(1) AS more UNION ALL SELECT 'x', 2L, NULL"
        )
        .write
        .parquet(table)
      assert(
        texts(open(table), "path", "label_id", "size(more)") == Seq(
          Row("a.jpg", 1, 1, "bytes of a.jpg", none),
          Row("x", 2, None.orNull, none, "NOT_FOUND"),
        )
      )
    }
  }

  test("a row without a path is a NOT_FOUND row") {
    withFolder { folder =>
      images(folder)
      val input = open(write(folder, "t.csv", "path,n\na.jpg,1\n,2\n"))
      assert(input.count == 2)
      val rows = texts(input, "n").map(row => row.getString(0) -> row.getString(2)).toMap
      assert(rows == Map("1" -> none, "2" -> "NOT_FOUND"))
    }
  }

  test("paths named twice are two rows, and strange ones are rows of their own") {
    withFolder { folder =>
      images(folder)
      val odd = Seq("a.jpg", "a.jpg", "in", "::", "http://[", "x:y.jpg", "../none", " ", "a\u0000b")
      val table = write(folder, "t.csv", ("path" +: odd).mkString("\n"))
      val rows = texts(open(table), "path")
      assert(rows.map(_.getString(0)) == odd.sorted)
      assert(rows.count(_.isNullAt(2)) == 2)
    }
  }

  test("each image is read once") {
    withFolder { folder =>
      images(folder)
      val input = open(write(folder, "t.csv", "path\na.jpg\n"))
      val plan = input.rows.queryExecution.optimizedPlan
      val reads = plan.collect { case node =>
        node.expressions.flatMap(_.collect { case read: ReadImage => read })
      }
      assert(reads.flatten.size == 1)
    }
  }

  test("a limit takes the first rows of a table and the first files of a folder") {
    withFolder { folder =>
      images(folder)
      val table = write(folder, "t.csv", "path\n" + (1 to 50).map(i => s"$i.jpg\n").mkString)
      Seq(table -> 3L, folder -> 3L).foreach { case (where, n) =>
        val input = ImageInput.open(spark, ImageRequest(where.toString, limit = Some(3)))
        assert(input.count == n)
        assert(input.rows.count() == n)
      }
    }
  }

  private def refused(images: Any, table: TableColumns = TableColumns()): String = {
    val error = intercept[SightlineException](open(images, table))
    assert(error.exitStatus == 2)
    error.getMessage
  }

  test("nothing to predict is wrong use") {
    withFolder { folder =>
      assert(refused(folder).startsWith(s"NO_IMAGES: $folder holds no images."))
      assert(refused(s"$folder/*.jpg").startsWith("PATH_NOT_FOUND"))
      assert(refused(write(folder, "t.csv", "path\n")).startsWith("NO_IMAGES"))
      assert(refused(s"$folder/none.csv").startsWith("PATH_NOT_FOUND"))
      assert(refused(s"$folder/none").startsWith("PATH_NOT_FOUND"))
    }
  }

  test("a class id that is no number is refused before any image is read") {
    withFolder { folder =>
      val table = write(folder, "t.csv", "path,class_id\na.jpg,1\nb.jpg,cat\n")
      val message = refused(table)
      assert(message.startsWith("INVALID_LABEL_ID"))
      assert(message.contains("the class id 'cat' in column 'class_id'"))
    }
  }

  test("a table that is not what its name says is refused") {
    withFolder { folder =>
      assert(refused(write(folder, "t.parquet", "no parquet")).startsWith("BAD_TABLE"))
    }
  }

  test("a root that does not exist is refused, and so are a table's options for a folder") {
    withFolder { folder =>
      images(folder)
      val table = write(folder, "cards.csv", "path\na.jpg\n")
      val noRoot = TableColumns(root = Some(s"$folder/nowhere"))
      assert(intercept[SightlineException](open(table, noRoot)).code == "PATH_NOT_FOUND")
      val named = TableColumns(path = Some("path"))
      assert(intercept[SightlineException](open(folder, named)).code == "WRONG_ARGUMENTS")
    }
  }

  test("a table's labels are its columns, the files' folders, or none, as asked") {
    withFolder { folder =>
      images(folder)
      val table = write(folder, "cards.csv", "path,label,class_id\nin/b.jpg,good,7\na.jpg,bad,8\n")
      def truth(labels: FolderLabels): Seq[Row] =
        texts(
          ImageInput.open(spark, ImageRequest(table.toString, labels)),
          "label",
          "label_id",
        ).map(row => Row(row.get(0), row.get(1)))
      assert(truth(FolderLabels.Auto) == Seq(Row("bad", 8), Row("good", 7)))
      assert(
        truth(FolderLabels.Folder) == Seq(Row(folder.getFileName.toString, none), Row("in", none))
      )
      assert(truth(FolderLabels.Absent) == Seq(Row(none, none), Row(none, none)))
    }
  }

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

  test("a table that tells the images' lengths is split by bytes") {
    withFolder { folder =>
      images(folder)
      def partitions(length: String): Int = {
        val table = write(folder, "t.csv", s"path,length\na.jpg,$length\nin/b.jpg,$length\n")
        val input = open(table)
        assert(
          texts(input, "path").map(_.getString(1)) == Seq("bytes of a.jpg", "bytes of in/b.jpg")
        )
        input.rows.rdd.getNumPartitions
      }
      assert(partitions("1000") == 2)
      // Two images of 2 GB, as far as the table says: half a gigabyte is enough for a task.
      assert(partitions((2L << 30).toString) == 8)
      assert(partitions("unknown") == 2)
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
