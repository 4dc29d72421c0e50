package sightline.source

import java.awt.Color
import java.nio.file.{Files, Path}

import org.apache.spark.sql.execution.datasources.v2.BatchScanExec
import org.apache.spark.sql.{AnalysisException, DataFrame, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.{LocalSpark, TestImage}

final class DefaultSourceSuite extends AnyFunSuite with LocalSpark {

  private def load(location: Any, options: (String, String)*): DataFrame =
    spark.read.format("sightline").options(Map("include" -> "*") ++ options).load(location.toString)

  /** The rows, and the scan's metrics after reading them. */
  private def collected(frame: DataFrame): (Seq[Row], Map[String, Long]) = {
    val rows = frame.collect().toSeq
    val scans = frame.queryExecution.executedPlan.collect { case scan: BatchScanExec => scan }
    (rows, scans.head.metrics.map { case (name, metric) => name -> metric.value })
  }

  private def opened(frame: DataFrame): Long = collected(frame)._2(ReadCounts.FilesOpened)

  /** Lists the files, runs `change`, then reads the files. */
  private def collectedAfter(frame: DataFrame)(change: => Unit): Seq[Row] = {
    frame.queryExecution.toRdd.partitions.foreach(_ => ())
    change
    frame.collect().toSeq
  }

  private def write100(folder: Path): Unit =
    (0 until 100).foreach(i => write(folder, f"$i%03d.bin", Array.fill[Byte](i)(i.toByte)))

  test("a row has the file's path, length, time and label, and its bytes or an error") {
    withFolder { folder =>
      val png = TestImage.of(Color.RED)
      write(folder, "red/a.png", png)
      val row = load(folder).collect().head
      assert(row.getAs[String]("path") == s"$folder/red/a.png")
      assert(row.getAs[String]("relative_path") == "red/a.png")
      assert(row.getAs[Long]("length") == png.length)
      val modified = Files.getLastModifiedTime(folder.resolve("red/a.png")).toMillis
      assert(row.getAs[java.sql.Timestamp]("modification_time").getTime == modified)
      assert(row.getAs[Array[Byte]]("content").toSeq == png.toSeq)
      assert(row.getAs[Row]("error") == None.orNull)
      assert(row.getAs[String]("label") == "red")
    }
  }

  test("each file is one row, and content is the file's bytes") {
    withFolder { folder =>
      write100(folder)
      val rows = load(folder).select("length", "content").collect()
      assert(rows.map(_.getLong(0)).sorted.toSeq == (0L until 100L))
      rows.foreach { row =>
        val n = row.getLong(0).toInt
        assert(row.getAs[Array[Byte]](1).toSeq == Seq.fill(n)(n.toByte))
      }
    }
  }

  test("no file is opened if the query uses neither content nor error") {
    withFolder { folder =>
      write100(folder)
      assert(opened(load(folder).select("path", "length", "label", "modification_time")) == 0)
      assert(load(folder).count() == 100)
      val frame = load(folder).select("path")
      val rows = collectedAfter(frame)(Files.delete(folder.resolve("050.bin")))
      assert(rows.size == 100)
    }
  }

  test("selecting error opens the files, and the metrics count files, bytes and errors") {
    withFolder { folder =>
      write100(folder)
      val (rows, metrics) = collected(load(folder, "maxImageBytes" -> "89").select("error"))
      assert(rows.count(!_.isNullAt(0)) == 10)
      assert(metrics(ReadCounts.FilesOpened) == 100)
      assert(metrics(ReadCounts.ReadErrors) == 10)
      assert(metrics(ReadCounts.BytesRead) == (0 until 90).sum)
    }
  }

  test("LIMIT opens only as many files as it returns rows") {
    withFolder { folder =>
      write100(folder)
      val (rows, metrics) = collected(load(folder).select("content").limit(3))
      assert(rows.size == 3)
      assert(metrics(ReadCounts.FilesOpened) == 3)
      assert(opened(load(folder, "limit" -> "7").select("content")) == 7)
      assert(load(folder, "limit" -> "2").limit(7).count() == 2)
    }
  }

  test("LIMIT after a filter counts only the rows that pass the filter") {
    withFolder { folder =>
      write100(folder)
      val rows = load(folder).where("length >= 50").select("content").limit(5).collect()
      assert(rows.length == 5)
      assert(rows.forall(_.getAs[Array[Byte]](0).length >= 50))
    }
  }

  test("a file deleted after the listing is a NOT_FOUND row") {
    withFolder { folder =>
      Seq("a", "b", "c").foreach(write(folder, _, "x"))
      val frame = load(folder).selectExpr("relative_path", "content", "error.code", "error.stage")
      val rows = collectedAfter(frame)(Files.delete(folder.resolve("b")))
      assert(rows.map(_.getString(0)).sorted == Seq("a", "b", "c"))
      assert(rows.filter(_.getString(0) == "b") == Seq(Row("b", None.orNull, "NOT_FOUND", "read")))
      assert(rows.filterNot(_.getString(0) == "b").forall(_.isNullAt(2)))
    }
  }

  test("each field of the error can be selected alone") {
    withFolder { folder =>
      write(folder, "a", "12345")
      val failing = load(folder, "maxImageBytes" -> "4")
      val fields =
        Seq("code" -> "TOO_LARGE", "stage" -> "read", "message" -> "5 bytes, the limit is 4")
      fields.foreach { case (name, value) =>
        assert(failing.selectExpr(s"error.$name").collect().toSeq == Seq(Row(value)))
      }
    }
  }

  test("a file that grew after the listing is a CHANGED row") {
    withFolder { folder =>
      write(folder, "a", "12345")
      val frame = load(folder).selectExpr("error.code", "error.message")
      val rows = collectedAfter(frame)(write(folder, "a", "1234567"): Unit)
      assert(rows == Seq(Row("CHANGED", "5 bytes when listed, more when read")))
    }
  }

  test("files and folders with special characters in their names are read") {
    withFolder { folder =>
      val odd = Seq("a b", "50%", "a%20b", "#1?", "ü😀", "x:y", "a,b", "'\"", "[1]*")
      odd.foreach(name => write(folder, s"$name/$name.bin", name))
      val rows = load(folder).selectExpr("label", "string(content)", "error").collect()
      assert(rows.map(_.getString(0)).toSet == odd.toSet)
      rows.foreach(row => assert((row.get(1), row.get(2)) == ((row.get(0), None.orNull))))
    }
  }

  test("two links to one file are two rows") {
    withFolder { folder =>
      val file = write(folder, "a", "x")
      Files.createSymbolicLink(folder.resolve("b"), file)
      assert(load(folder).selectExpr("string(content)").collect().toSeq == Seq(Row("x"), Row("x")))
    }
  }

  test("a folder can be joined with itself by path") {
    withFolder { folder =>
      write100(folder)
      val images = load(folder)
      assert(images.as("a").join(images.as("b"), "path").count() == 100)
    }
  }

  test("an empty folder gives zero rows") {
    withFolder(folder => assert(load(folder).collect().isEmpty))
  }

  test("the format can be used in CREATE TEMPORARY VIEW … USING sightline") {
    withFolder { folder =>
      write100(folder)
      spark.sql(
        s"CREATE OR REPLACE TEMPORARY VIEW files USING sightline OPTIONS (path '$folder', include '*.bin')"
      ): Unit
      val totals = spark.sql("SELECT count(*), sum(length(content)) FROM files").collect()
      assert(totals.toSeq == Seq(Row(100L, (0 until 100).sum.toLong)))
    }
  }

  test("the options of Spark's file sources select files here too") {
    withFolder { folder =>
      def taken(options: (String, String)*): Seq[String] =
        spark.read
          .format("sightline")
          .options(options.toMap)
          .load(s"$folder")
          .select("relative_path")
          .collect()
          .map(_.getString(0))
          .toSeq
      val noon = java.time.Instant.parse("2024-06-30T12:00:00Z").toEpochMilli
      Seq("a.jpg" -> -1, "b.png" -> 0, "c.bin" -> 1, "sub/d.jpg" -> 2).foreach {
        case (name, hours) =>
          val time = java.nio.file.attribute.FileTime.fromMillis(noon + hours * 3600 * 1000)
          Files.setLastModifiedTime(write(folder, name, "x"), time): Unit
      }
      assert(taken() == Seq("a.jpg", "b.png", "sub/d.jpg"))
      assert(taken("pathGlobFilter" -> "*.{bin,jpg}") == Seq("a.jpg", "c.bin", "sub/d.jpg"))
      assert(taken("pathGlobFilter" -> "*", "exclude" -> "*.JPG") == Seq("b.png", "c.bin"))
      assert(taken("recursiveFileLookup" -> "false") == Seq("a.jpg", "b.png"))
      val utc = Seq("timeZone" -> "UTC", "include" -> "*")
      assert(
        taken(utc :+ ("modifiedAfter" -> "2024-06-30T12:00:00"): _*) == Seq("c.bin", "sub/d.jpg")
      )
      assert(taken(utc :+ ("modifiedBefore" -> "2024-06-30T12:00:00"): _*) == Seq("a.jpg"))
      val berlin = Seq("timeZone" -> "Europe/Berlin", "include" -> "*")
      assert(
        taken(berlin :+ ("modifiedBefore" -> "2024-06-30T14:30:00"): _*) == Seq("a.jpg", "b.png")
      )
      assert(taken("MODIFIEDAFTER" -> "2024-06-30 12:00:00 UTC") == Seq("sub/d.jpg"))
    }
  }

  test("the error for a wrong option has the option's name") {
    def refused(frame: => DataFrame): String =
      intercept[AnalysisException](frame.collect()).getMessage
    withFolder { folder =>
      assert(refused(load(s"$folder/none")).startsWith("PATH_NOT_FOUND"))
      assert(refused(load(folder, "labels" -> "x")).startsWith("UNKNOWN_LABELS"))
      assert(refused(load(folder, "limit" -> "few")).contains("limit is 'few'"))
      assert(refused(spark.read.format("sightline").load()).contains("exactly one path"))
      assert(
        refused(load(folder, "lables" -> "none")) ==
          "UNKNOWN_OPTION: 'lables'. Known: path, labels, limit, maxImageBytes, include, exclude, " +
          "pathGlobFilter, modifiedBefore, modifiedAfter, timeZone, recursiveFileLookup."
      )
      assert(refused(load(folder, "ignoreCorruptFiles" -> "true")).startsWith("UNKNOWN_OPTION"))
      assert(refused(load(folder, "include" -> " ")).startsWith("INVALID_OPTION: include is ' '"))
      assert(
        refused(load(folder, "modifiedAfter" -> "soon")).startsWith("INVALID_OPTION: modifiedAfter")
      )
      assert(
        refused(load(folder, "timeZone" -> "Mars", "modifiedAfter" -> "2024-06-30"))
          .contains("timeZone")
      )
      assert(refused(load(folder, "recursiveFileLookup" -> "no")).contains("Known: true, false"))
      assert(
        refused(load(s"$folder/*.jpg")).startsWith(s"PATH_NOT_FOUND: $folder/*.jpg matches nothing")
      )
    }
  }
}
