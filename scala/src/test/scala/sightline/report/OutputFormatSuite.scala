package sightline.report

import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.{DataFrame, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.withFolder
import sightline.source.Columns
import sightline.{LocalSpark, SightlineException}

final class OutputFormatSuite extends AnyFunSuite with LocalSpark {

  private val formats = Seq(OutputFormat.Parquet, OutputFormat.Csv, OutputFormat.Json)

  private val schema = new StructType()
    .add("note", "string")
    .add("path", "string")
    .add("label", "string")
    .add("label_id", "int")
    .add("prediction", Columns.PredictionType)
    .add("error", Columns.ErrorType)

  private def none: String = None.orNull

  private val top = Seq(Row("a, \"b\"", 1, 0.75f), Row("ü\nnew line", 0, 1.17549435e-38f))

  private def predicted(note: String, path: String): Row =
    Row(note, path, "cat", 3, Row("a, \"b\"", 1, 0.75f, top), none)

  private def failed(note: String, path: String, message: String): Row =
    Row(note, path, none, none, none, Row("CORRUPT", "decode", message))

  private val rows = Seq(
    predicted("plain", "/images/a.jpg"),
    predicted("comma", "/images/a, b.jpg"),
    predicted("quotes", "/images/\"a\" 'b'.jpg"),
    predicted("new line", "/images/a\nb.jpg"),
    predicted("carriage return", "/images/a\r\nb\rc.jpg"),
    predicted("spaces around", " /images/a.jpg "),
    predicted("backslashes", "\\\\images\\\"a\\"),
    predicted("hash and percent", "#/images/%20ü😀\t.jpg"),
    failed("an error", "/images/bad.jpg", "it said \"no\", twice\\"),
    failed("a message in two lines", "/images/bad2.jpg", "one,\ntwo"),
    Row(none, none, none, none, none, Row("NOT_FOUND", "read", "no path")),
  )

  private def frame(rows: Seq[Row]): DataFrame =
    spark.createDataFrame(spark.sparkContext.parallelize(rows, 3), schema)

  private def roundTrip(format: OutputFormat, rows: Seq[Row]): DataFrame =
    withFolder { folder =>
      val target = s"$folder/out"
      format.write(frame(rows), target)
      val read = format
        .read(spark, target)
        .select(schema.fieldNames.toSeq.map(org.apache.spark.sql.functions.col): _*)
      // The rows are collected, because the folder is deleted before they are used.
      spark.createDataFrame(java.util.List.of(read.collect(): _*), read.schema)
    }

  formats.foreach { format =>
    test(s"${format.name}: every row is read back unchanged") {
      val read = roundTrip(format, rows)
      val found = read.collect().map(row => Option(row.getString(0)) -> row).toMap
      assert(found.size == rows.size)
      rows.foreach(row => assert(found(Option(row.getString(0))) == row))
    }

    test(s"${format.name}: the columns are read back with the same types") {
      val read = roundTrip(format, rows).schema
      schema.foreach { field =>
        assert(read(field.name).dataType.catalogString == field.dataType.catalogString)
      }
    }

    test(s"${format.name}: an output with only errors or only predictions can be read") {
      assert(roundTrip(format, rows.slice(8, 9)).collect().toSeq == rows.slice(8, 9))
      assert(roundTrip(format, rows.take(1)).collect().toSeq == rows.take(1))
    }

    test(s"${format.name}: the rows of all files of an output are counted") {
      withFolder { folder =>
        format.write(frame(Nil), s"$folder/out")
        assert(format.count(spark, s"$folder/out") == 0)
        format.write(frame(rows).repartition(3), s"$folder/out")
        format.write(frame(rows.take(2)), s"$folder/out")
        assert(format.count(spark, s"$folder/out") == rows.size + 2)
      }
    }

    test(s"${format.name}: an output without rows can be read and has the output columns") {
      withFolder { folder =>
        format.write(frame(Nil), s"$folder/out")
        val read = format.read(spark, s"$folder/out")
        assert(read.collect().isEmpty)
        Seq("path", "label", "label_id", "prediction", "error").foreach { name =>
          assert(read.schema(name).dataType.catalogString == schema(name).dataType.catalogString)
        }
      }
    }
  }

  test("the error for an unknown format lists the known ones") {
    val error = intercept[SightlineException](OutputFormat.parse("xml"))
    assert(error.getMessage == "UNKNOWN_FORMAT: --format 'xml'. Known: parquet, csv, json.")
    assert(error.exitStatus == 2)
  }

  test("CSV has one flat column for each field of prediction and error") {
    withFolder { folder =>
      OutputFormat.Csv.write(frame(rows), s"$folder/out")
      val flat = spark.read.option("header", "true").csv(s"$folder/out")
      assert(
        flat.columns.toSeq == Seq("note", "path", "label", "label_id") ++
          Seq("label", "class_id", "score", "top_k").map("prediction_" + _) ++
          Seq("code", "stage", "message").map("error_" + _)
      )
    }
  }

  test("CSV has arrays, maps and structs of the input table as JSON, and bytes as base64") {
    withFolder { folder =>
      val own = frame(rows.take(1)).selectExpr(
        "array(1, 2) AS a",
        "map('k', array(1)) AS m",
        "struct(X'00FF' AS b, 1 AS n) AS s",
        "X'00FF' AS b",
        "INTERVAL '3' MONTH AS i",
        "array() AS e",
        "*",
      )
      OutputFormat.Csv.write(own, s"$folder/out")
      val read = OutputFormat.Csv.read(spark, s"$folder/out")
      assert(
        read
          .select("a", "m", "s", "b", "i", "e", "note", "prediction.label")
          .collect()
          .toSeq == Seq(
          Row(
            "[1,2]",
            "{\"k\":[1]}",
            "{\"b\":\"AP8=\",\"n\":1}",
            "AP8=",
            "INTERVAL '3' MONTH",
            "[]",
            "plain",
            "a, \"b\"",
          )
        )
      )
    }
  }
}
