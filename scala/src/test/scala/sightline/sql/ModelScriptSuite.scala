package sightline.sql

import java.awt.Color
import java.nio.file.Path

import org.apache.spark.sql.{AnalysisException, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.plan.SessionModels
import sightline.{ColourBundle, LocalSpark, TestImage}

/** Statements on models where Spark's SQL programs have statements. */
final class ModelScriptSuite extends AnyFunSuite with LocalSpark {

  private lazy val colour = ColourBundle.bundle.folder

  private def said(sql: String): Seq[Row] = spark.sql(sql).collect().toSeq

  private def models: Seq[(String, Int)] =
    said("SHOW MODELS").filterNot(_.isNullAt(1)).map(row => row.getString(0) -> row.getInt(1))

  private def withModels[A](test: Path => A): A = withFolder { folder =>
    spark.conf.set(SessionModels.ModelsSetting, folder.resolve("models").toString)
    try test(folder)
    finally spark.conf.unset(SessionModels.ModelsSetting)
  }

  test("statements on models run inside BEGIN … END, in its order and under its conditions") {
    withModels { _ =>
      said(
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
           |      DROP MODEL IF EXISTS nobody;
           |    END;
           |  END FOR;
           |END""".stripMargin
      ): Unit
      assert(models == Seq("other" -> 1, "paint" -> 4, "third" -> 1))
      // A script gives the rows of its last query; those of SHOW are none, Spark's own as little.
      assert(said("BEGIN SELECT 1; SHOW MODELS; SHOW CATALOGS; END") == Seq(Row(1)))
    }
  }

  test("a handler of a script may hold statements on models, and catch their errors") {
    withModels { _ =>
      said(
        s"""BEGIN
           |  DECLARE EXIT HANDLER FOR SQLEXCEPTION
           |    BEGIN
           |      CREATE MODEL caught USING '$colour';
           |    END;
           |  SELECT 1;
           |  DROP MODEL nobody;
           |  CREATE MODEL never USING '$colour';
           |END""".stripMargin
      ): Unit
      assert(models == Seq("caught" -> 1))
    }
  }

  test("a wrong statement on a model inside a script is refused before the script runs") {
    withModels { _ =>
      val error = intercept[AnalysisException](
        said(s"BEGIN CREATE MODEL paint USING '$colour'; CREATE MODEL x; END")
      )
      assert(error.getMessage.startsWith("WRONG_STATEMENT: expected USING but found the end."))
      assert(models.isEmpty)
    }
  }

  test("a script in which a name or text only looks like a statement on models is Spark's") {
    assert(said("BEGIN SELECT 'x; DROP MODEL y' AS s; END") == Seq(Row("x; DROP MODEL y")))
    assert(said("BEGIN SELECT 1 /* ; DROP MODEL y; */ AS model; END") == Seq(Row(1)))
    assert(said("BEGIN SELECT show models FROM VALUES (1) AS t(show); END") == Seq(Row(1)))
  }

  test("parameters stand for texts of a statement on models, by name and by place") {
    withModels { _ =>
      val place = colour.toString
      spark.sql(
        "CREATE MODEL IDENTIFIER(:name) USING :place COMMENT :why OPTIONS (top_k :k)",
        Map("name" -> "paint", "place" -> place, "why" -> "it's ?", "k" -> "2"),
      ): Unit
      spark.sql("CREATE OR REPLACE MODEL paint USING ? COMMENT ?", Array(place, "second")): Unit
      assert(models == Seq("paint" -> 2))
      val described = said("DESCRIBE MODEL EXTENDED IDENTIFIER('paint')")
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
      said(s"DECLARE OR REPLACE VARIABLE place STRING = '$colour'"): Unit
      said("EXECUTE IMMEDIATE 'CREATE MODEL paint USING ?' USING place"): Unit
      said("EXECUTE IMMEDIATE 'CREATE OR REPLACE MODEL paint USING :p' USING place AS p"): Unit
      said(s"EXECUTE IMMEDIATE 'CREATE MODEL other USING \"$colour\"'"): Unit
      assert(models == Seq("other" -> 1, "paint" -> 2))
      assert(
        said("EXECUTE IMMEDIATE 'SHOW MODELS LIKE \"o*\"'").map(_.getString(0)) == Seq("other")
      )
      said(
        "BEGIN DECLARE m STRING DEFAULT 'other'; EXECUTE IMMEDIATE 'DROP MODEL IDENTIFIER(:m)' USING m AS m; END"
      ): Unit
      assert(models == Seq("paint" -> 2))
    }
  }

  test("read_images and ml_predict take the variables of a script") {
    withModels { folder =>
      write(folder, "photos/red/a.png", TestImage.of(Color.RED)): Unit
      write(folder, "photos/blue/b.png", TestImage.of(Color.BLUE)): Unit
      assert(
        said(
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
