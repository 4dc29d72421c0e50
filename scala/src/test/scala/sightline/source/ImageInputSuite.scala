package sightline.source

import java.nio.file.Path

import org.apache.spark.sql.Row
import org.apache.spark.sql.sightline.ReadImageExpression
import org.scalatest.funsuite.AnyFunSuite

import sightline.SightlineException
import sightline.TestFolder.{withFolder, write}

final class ImageInputSuite extends AnyFunSuite with OpenedInputs {

  private def images(folder: Path): Unit =
    Seq("a.jpg", "in/b.jpg", "file with, comma.jpg", "ü \"q\".jpg").foreach { name =>
      write(folder, name, s"bytes of $name")
    }

  test("images of a folder have a path and a label, and no label_id") {
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

  test("a CSV's columns come first, then path, label and label_id; only label_id is an integer") {
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

  test("columns of a table with the names of output columns are kept with the prefix input_") {
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

  test("with FolderLabels.Absent the label columns of a table are kept as other columns") {
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

  test("relative paths are resolved against the table's folder or the given root") {
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

  test("a Parquet table can be a folder, and its class ids can have another integer type") {
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

  test("a path that occurs twice is two rows, and an invalid path is one row with an error") {
    withFolder { folder =>
      images(folder)
      val odd = Seq("a.jpg", "a.jpg", "in", "::", "http://[", "x:y.jpg", "../none", " ", "a\u0000b")
      val table = write(folder, "t.csv", ("path" +: odd).mkString("\n"))
      val rows = texts(open(table), "path")
      assert(rows.map(_.getString(0)) == odd.sorted)
      assert(rows.count(_.isNullAt(2)) == 2)
    }
  }

  test("the plan reads each image once") {
    withFolder { folder =>
      images(folder)
      val input = open(write(folder, "t.csv", "path\na.jpg\n"))
      val plan = input.rows.queryExecution.optimizedPlan
      val reads = plan.collect { case node =>
        node.expressions.flatMap(_.collect { case read: ReadImageExpression => read })
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

  test("an input without images is rejected") {
    withFolder { folder =>
      assert(refused(folder).startsWith(s"NO_IMAGES: $folder holds no images."))
      assert(refused(s"$folder/*.jpg").startsWith("PATH_NOT_FOUND"))
      assert(refused(write(folder, "t.csv", "path\n")).startsWith("NO_IMAGES"))
      assert(refused(s"$folder/none.csv").startsWith("PATH_NOT_FOUND"))
      assert(refused(s"$folder/none").startsWith("PATH_NOT_FOUND"))
    }
  }

  test("a class id that is not a number is rejected before any image is read") {
    withFolder { folder =>
      val table = write(folder, "t.csv", "path,class_id\na.jpg,1\nb.jpg,cat\n")
      val message = refused(table)
      assert(message.startsWith("INVALID_LABEL_ID"))
      assert(message.contains("the class id 'cat' in column 'class_id'"))
    }
  }

  test("a file that ends in .parquet and is not Parquet is rejected") {
    withFolder { folder =>
      assert(refused(write(folder, "t.parquet", "no parquet")).startsWith("BAD_TABLE"))
    }
  }

  test("a missing root is rejected, and table options for a folder are rejected") {
    withFolder { folder =>
      images(folder)
      val table = write(folder, "cards.csv", "path\na.jpg\n")
      val noRoot = TableColumns(root = Some(s"$folder/nowhere"))
      assert(intercept[SightlineException](open(table, noRoot)).code == "PATH_NOT_FOUND")
      val named = TableColumns(path = Some("path"))
      assert(intercept[SightlineException](open(folder, named)).code == "WRONG_ARGUMENTS")
    }
  }

  test("the labels of a table are its columns, the folder names or none, by FolderLabels") {
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

  test("a table with a length column is partitioned by bytes") {
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
      // The table gives 2 GiB for each of two images, and a task gets at most 512 MiB.
      assert(partitions((2L << 30).toString) == 8)
      assert(partitions("unknown") == 2)
    }
  }
}
