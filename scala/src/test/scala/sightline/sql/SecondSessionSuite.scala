package sightline.sql

import java.awt.Color
import java.nio.file.{Files, Path}

import org.apache.spark.SparkThrowable
import org.apache.spark.sql.{Row, SparkSession}
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.{ColourBundle, LocalSpark, TestImage}

/** Views, SQL functions and tables of one session, used by another session. */
final class SecondSessionSuite extends AnyFunSuite with LocalSpark {

  private lazy val colour = ColourBundle.bundle.folder

  private def rows(session: SparkSession, sql: String): Seq[Row] = session.sql(sql).collect().toSeq

  private def withGallery[A](test: Path => A): A = withFolder { folder =>
    Seq("red/a.png" -> Color.RED, "red/b.png" -> Color.RED, "blue/c.png" -> Color.BLUE).foreach {
      case (name, colour) => write(folder, name, TestImage.of(colour))
    }
    write(folder, "text.png", "no image"): Unit
    test(folder)
  }

  test("another session can use a permanent view over read_images and ml_predict") {
    withGallery { folder =>
      rows(
        spark,
        s"""CREATE VIEW answers AS SELECT relative_path, label, ml_predict('$colour', content) AS r
           |FROM read_images('$folder')""".stripMargin,
      ): Unit
      try
        assert(
          rows(
            spark.newSession(),
            "SELECT relative_path, r.label, r.error.code FROM answers ORDER BY 1",
          ) == Seq(
            Row("blue/c.png", "blue", None.orNull),
            Row("red/a.png", "red", None.orNull),
            Row("red/b.png", "red", None.orNull),
            Row("text.png", None.orNull, "UNSUPPORTED"),
          )
        )
      finally spark.sql("DROP VIEW answers"): Unit
    }
  }

  test("another session can use a permanent view over the table functions, and a view over it") {
    withGallery { folder =>
      rows(spark, s"CREATE VIEW photos AS SELECT * FROM read_images('$folder', limit => 3)"): Unit
      rows(
        spark,
        s"""CREATE VIEW answered AS SELECT relative_path, prediction.label AS colour
           |FROM ml_predict(TABLE(SELECT * FROM photos), '$colour')""".stripMargin,
      ): Unit
      try
        assert(
          rows(spark.newSession(), "SELECT colour, count(*) FROM answered GROUP BY 1 ORDER BY 1") ==
            Seq(Row("blue", 1), Row("red", 2))
        )
      finally {
        spark.sql("DROP VIEW answered"): Unit
        spark.sql("DROP VIEW photos"): Unit
      }
    }
  }

  test("another session can use scalar and table SQL functions over ml_predict") {
    withGallery { folder =>
      rows(
        spark,
        s"CREATE FUNCTION colour_of(image BINARY) RETURNS STRING RETURN ml_predict('$colour', image).label",
      ): Unit
      rows(
        spark,
        s"""CREATE FUNCTION gallery(wanted STRING) RETURNS TABLE (name STRING, image BINARY)
           |RETURN SELECT relative_path, content FROM read_images('$folder') WHERE label = wanted""".stripMargin,
      ): Unit
      try
        assert(
          rows(
            spark.newSession(),
            "SELECT name, colour_of(image) FROM gallery('red') ORDER BY 1",
          ) ==
            Seq(Row("red/a.png", "red"), Row("red/b.png", "red"))
        )
      finally {
        spark.sql("DROP FUNCTION gallery"): Unit
        spark.sql("DROP FUNCTION colour_of"): Unit
      }
    }
  }

  test("another session can use CREATE TABLE … USING sightline; DROP TABLE keeps the files") {
    withGallery { folder =>
      rows(
        spark,
        s"CREATE TABLE pictures USING sightline OPTIONS (path '$folder', labels 'none', limit 3)",
      ): Unit
      rows(
        spark,
        s"CREATE TABLE located USING sightline LOCATION '$folder' TBLPROPERTIES (team 'vision')",
      ): Unit
      try {
        val second = spark.newSession()
        assert(
          rows(
            second,
            s"SELECT relative_path, label, ml_predict('$colour', content).label FROM pictures ORDER BY 1",
          ) ==
            Seq(
              Row("blue/c.png", None.orNull, "blue"),
              Row("red/a.png", None.orNull, "red"),
              Row("red/b.png", None.orNull, "red"),
            )
        )
        assert(
          rows(second, "SELECT label, count(*) FROM located GROUP BY 1 ORDER BY 1") == Seq(
            Row(None.orNull, 1),
            Row("blue", 1),
            Row("red", 2),
          )
        )
        assert(second.read.option("limit", "1").table("pictures").count() == 1)
      } finally {
        spark.sql("DROP TABLE pictures"): Unit
        spark.sql("DROP TABLE located"): Unit
      }
      assert(Files.exists(folder.resolve("red/a.png")))
    }
  }

  test("SHOW FUNCTIONS and DESCRIBE FUNCTION include the functions in every session") {
    val names = Seq("get_image_inference_udf", "ml_features", "ml_predict", "read_images")
    val session = spark.newSession()
    val listed = rows(session, "SHOW FUNCTIONS").map(_.getString(0))
    assert(names.forall(listed.contains))
    assert(
      rows(session, "SHOW FUNCTIONS LIKE 'ml_*'").map(_.getString(0)) == Seq(
        "ml_features",
        "ml_predict",
      )
    )
    names.foreach { name =>
      val text =
        rows(session, s"DESCRIBE FUNCTION EXTENDED $name").map(_.getString(0)).mkString("\n")
      assert(text.contains(s"Function: $name\n"), text)
      assert(text.contains(s"Usage: $name("), text)
    }
  }

  test("read_images accepts a session variable as its location") {
    withGallery { folder =>
      rows(spark, s"DECLARE OR REPLACE VARIABLE place STRING = '$folder'"): Unit
      rows(spark, s"DECLARE OR REPLACE VARIABLE model STRING = '$colour'"): Unit
      assert(rows(spark, "SELECT count(*) FROM read_images(place)") == Seq(Row(4)))
      assert(
        rows(
          spark,
          "SELECT ml_predict(model, content).label FROM read_images(place || '/blue')",
        ) == Seq(Row("blue"))
      )
      rows(spark, s"SET VARIABLE place = '$folder/red'"): Unit
      assert(
        rows(spark, "SELECT count(*) FROM read_images(location => session.place)") == Seq(Row(2))
      )
    }
  }

  test("a stream of format sightline is rejected, and the error suggests another source") {
    withGallery { folder =>
      rows(spark, s"CREATE TABLE pictures USING sightline LOCATION '$folder'"): Unit
      try
        Seq(
          () => spark.readStream.format("sightline").load(folder.toString),
          () => spark.readStream.table("pictures"),
        ).foreach { load =>
          val error = intercept[Exception with SparkThrowable](load())
          assert(error.getCondition == "STREAM_NOT_SUPPORTED")
          assert(error.getMessage.contains("""Use spark.readStream.format("binaryFile")"""))
        }
      finally spark.sql("DROP TABLE pictures"): Unit
    }
  }
}
