package sightline.sql

import java.awt.Color
import java.nio.file.Path

import org.apache.spark.sql.{AnalysisException, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.plan.SessionModels
import sightline.{ColourBundle, LocalSpark, TestImage}

/** Statements on models inside Spark's SQL scripts and in EXECUTE IMMEDIATE. */
final class ModelScriptSuite extends AnyFunSuite with LocalSpark {

  private lazy val colour = ColourBundle.bundle.folder

  private def collected(sql: String): Seq[Row] = spark.sql(sql).collect().toSeq

  private def models: Seq[(String, Int)] =
    collected("SHOW MODELS").filterNot(_.isNullAt(1)).map(row => row.getString(0) -> row.getInt(1))

  private def withModels[A](test: Path => A): A = withFolder { folder =>
    spark.conf.set(SessionModels.ModelsSetting, folder.resolve("models").toString)
    try test(folder)
    finally spark.conf.unset(SessionModels.ModelsSetting)
  }

  test("statements on models inside BEGIN … END run in order and follow its conditions") {
    withModels { _ =>
      collected(
        s"""-- 😀 a script
           |BEGIN
           |  DECLARE n INT DEFAULT 0;
           |  CREATE MODEL IF NOT EXISTS paint USING '$colour' COMMENT 'a; b';
           |  IF n = 1 THEN
           |    DROP MODEL paint;
           |  ELSEIF n = 2 THEN
           |    DROP MODEL paint;
           |  ELSE
           |    CREATE OR REPLACE MODEL paint USING '$colour';
           |  END IF;
           |  WHILE n < 2 DO
           |    SET n = n + 1;
           |    CREATE OR REPLACE MODEL paint USING '$colour' OPTIONS (top_k 1);
           |  END WHILE;
           |  CASE WHEN n = 2 THEN CREATE MODEL other USING '$colour'; ELSE DROP MODEL paint; END CASE;
           |  FOR x AS SELECT 'third' AS name DO
           |    BEGIN
           |      CREATE MODEL third USING '$colour';
           |      DROP MODEL IF EXISTS missing;
           |    END;
           |  END FOR;
           |END""".stripMargin
      ): Unit
      assert(models == Seq("other" -> 1, "paint" -> 4, "third" -> 1))
      // A script returns the rows of its last query; SHOW statements, also Spark's own, do not count.
      assert(collected("BEGIN SELECT 1; SHOW MODELS; SHOW CATALOGS; END") == Seq(Row(1)))
    }
  }

  test("a handler of a script can contain statements on models, and can catch their errors") {
    withModels { _ =>
      collected(
        s"""BEGIN
           |  DECLARE EXIT HANDLER FOR SQLEXCEPTION
           |    BEGIN
           |      CREATE MODEL caught USING '$colour';
           |    END;
           |  SELECT 1;
           |  DROP MODEL missing;
           |  CREATE MODEL never USING '$colour';
           |END""".stripMargin
      ): Unit
      assert(models == Seq("caught" -> 1))
    }
  }

  test("a wrong statement on a model inside a script is rejected before the script runs") {
    withModels { _ =>
      val error = intercept[AnalysisException](
        collected(s"BEGIN CREATE MODEL paint USING '$colour'; CREATE MODEL x; END")
      )
      assert(error.getMessage.startsWith("WRONG_STATEMENT: expected USING but found the end."))
      assert(models.isEmpty)
    }
  }

  test(
    "a script in which only a name or a text looks like a statement on models is left to Spark"
  ) {
    assert(collected("BEGIN SELECT 'x; DROP MODEL y' AS s; END") == Seq(Row("x; DROP MODEL y")))
    assert(collected("BEGIN SELECT 1 /* ; DROP MODEL y; */ AS model; END") == Seq(Row(1)))
    assert(collected("BEGIN SELECT show models FROM VALUES (1) AS t(show); END") == Seq(Row(1)))
  }

  test("parameters by name and by position can replace texts in a statement on models") {
    withModels { _ =>
      val place = colour.toString
      spark.sql(
        "CREATE MODEL IDENTIFIER(:name) USING :place COMMENT :why OPTIONS (top_k :k)",
        Map("name" -> "paint", "place" -> place, "why" -> "it's ?", "k" -> "2"),
      ): Unit
      spark.sql("CREATE OR REPLACE MODEL paint USING ? COMMENT ?", Array(place, "second")): Unit
      assert(models == Seq("paint" -> 2))
      val described = collected("DESCRIBE MODEL EXTENDED IDENTIFIER('paint')")
        .map(r => r.getString(0) -> r.getString(1))
        .toMap
      assert(described("comment") == "second")
      assert(spark.sql("SHOW MODELS LIKE :p", Map("p" -> "pai*")).count() == 1)
      val message = intercept[AnalysisException](
        spark.sql("CREATE MODEL x USING :place", Map("other" -> place))
      ).getMessage
      assert(
        message.startsWith(
          "WRONG_STATEMENT: the parameter :place for the bundle's path has no text value."
        ),
        message,
      )
    }
  }

  test("EXECUTE IMMEDIATE runs statements on models, with parameters and with variables") {
    withModels { _ =>
      collected(s"DECLARE OR REPLACE VARIABLE place STRING = '$colour'"): Unit
      collected("EXECUTE IMMEDIATE 'CREATE MODEL paint USING ?' USING place"): Unit
      collected("EXECUTE IMMEDIATE 'CREATE OR REPLACE MODEL paint USING :p' USING place AS p"): Unit
      collected(s"EXECUTE IMMEDIATE 'CREATE MODEL other USING \"$colour\"'"): Unit
      assert(models == Seq("other" -> 1, "paint" -> 2))
      assert(
        collected("EXECUTE IMMEDIATE 'SHOW MODELS LIKE \"o*\"'").map(_.getString(0)) == Seq("other")
      )
      collected(
        "BEGIN DECLARE m STRING DEFAULT 'other'; EXECUTE IMMEDIATE 'DROP MODEL IDENTIFIER(:m)' USING m AS m; END"
      ): Unit
      assert(models == Seq("paint" -> 2))
    }
  }

  test("read_images and ml_predict accept the variables of a script as arguments") {
    withModels { folder =>
      write(folder, "photos/red/a.png", TestImage.of(Color.RED)): Unit
      write(folder, "photos/blue/b.png", TestImage.of(Color.BLUE)): Unit
      assert(
        collected(
          s"""BEGIN
             |  DECLARE place STRING DEFAULT '$folder/photos/red';
             |  DECLARE model STRING DEFAULT '$colour';
             |  SET place = '$folder/photos/blue';
             |  SELECT relative_path, ml_predict(model, content).label FROM read_images(place);
             |END""".stripMargin
        ) == Seq(Row("b.png", "blue"))
      )
    }
  }
}
