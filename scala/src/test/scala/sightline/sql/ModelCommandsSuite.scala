package sightline.sql

import java.awt.Color
import java.nio.file.{Files, Path}

import scala.concurrent.ExecutionContext.Implicits.global
import scala.concurrent.duration.*
import scala.concurrent.{Await, Future}
import scala.util.Try

import org.apache.commons.io.FileUtils
import org.apache.spark.sql.{AnalysisException, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.withFolder
import sightline.plan.SessionModels
import sightline.{ColourBundle, LocalSpark, TestImage}

final class ModelCommandsSuite extends AnyFunSuite with LocalSpark {

  private lazy val colour = ColourBundle.bundle.folder.toString
  private lazy val means = ColourBundle.means.folder.toString

  private def withModels[A](test: Path => A): A = withFolder { folder =>
    spark.conf.set(SessionModels.ModelsSetting, folder.resolve("models").toUri.toString)
    try test(folder)
    finally spark.conf.unset(SessionModels.ModelsSetting)
  }

  private def collected(sql: String): Seq[Row] = spark.sql(sql).collect().toSeq

  private def refused(sql: String): String =
    intercept[AnalysisException](collected(sql)).getMessage

  private def score(model: String): Double = {
    val session = spark
    import session.implicits.*
    Seq(TestImage.of(Color.RED)).toDF("content").createOrReplaceTempView("one")
    collected(s"SELECT ml_predict('$model', content).score FROM one").head.getFloat(0).toDouble
  }

  test("a model is created, used in a query, replaced and dropped") {
    withModels { _ =>
      assert(
        collected(s"CREATE MODEL paint USING '$colour' COMMENT 'first'") ==
          Seq(Row("paint", 1, ColourBundle.bundle.sha256))
      )
      val first = score("paint")
      assert(
        collected(s"CREATE OR REPLACE MODEL paint USING '$means' OPTIONS (top_k 1)") ==
          Seq(Row("paint", 2, ColourBundle.means.sha256))
      )
      assert(score("paint") < first)
      assert(score("paint@1") == first)
      assert(collected("SELECT size(ml_predict('paint', content).top_k) FROM one") == Seq(Row(1)))
      assert(
        collected("SHOW MODELS LIKE 'pai*'") == Seq(
          Row("paint", 2, "classification", 3, "onnx, openvino", None.orNull)
        )
      )
      val described =
        collected("DESCRIBE MODEL paint").map(row => row.getString(0) -> row.getString(1)).toMap
      assert(described("version") == "2")
      assert(described("options") == "top_k=1")
      assert(described("outputs") == "logits (scores), means (features)")
      assert(described("version 1").endsWith(s"from $colour"))
      assert(collected("DESCRIBE MODEL EXTENDED paint").contains(Row("labels", "red, green, blue")))
      assert(collected("DROP MODEL paint").isEmpty)
      assert(refused("DESCRIBE MODEL paint").startsWith("UNKNOWN_MODEL: 'paint'. Known: "))
    }
  }

  test("CREATE of an existing model and DROP of a missing one are errors without IF [NOT] EXISTS") {
    withModels { _ =>
      collected(s"CREATE MODEL paint USING '$colour'"): Unit
      assert(refused(s"CREATE MODEL paint USING '$means'").startsWith("MODEL_EXISTS: "))
      assert(
        collected(s"CREATE MODEL IF NOT EXISTS paint USING '$means'") ==
          Seq(Row("paint", 1, ColourBundle.bundle.sha256))
      )
      assert(collected("DROP MODEL IF EXISTS missing").isEmpty)
      assert(refused("DROP MODEL missing").startsWith("UNKNOWN_MODEL: 'missing'."))
      assert(
        refused("SELECT ml_predict('paint@7', X'00')").startsWith("UNKNOWN_VERSION: model 'paint'")
      )
    }
  }

  test("if several statements create a model at the same time, one succeeds") {
    withModels { _ =>
      val session = spark
      val tries = Await.result(
        Future.sequence(
          Seq.fill(6)(Future(Try(session.sql(s"CREATE MODEL paint USING '$colour'"))))
        ),
        2.minutes,
      )
      assert(tries.count(_.isSuccess) == 1, tries)
      assert(tries.flatMap(_.failed.toOption).forall(_.getMessage.startsWith("MODEL_EXISTS: ")))
      assert(score("paint") > 0.9)
    }
  }

  test("a bundle whose golden outputs differ is rejected, and no file is written") {
    withModels { folder =>
      val bad = folder.resolve("bad")
      FileUtils.copyDirectory(Path.of(colour).toFile, bad.toFile)
      Files.copy(
        Path.of(means).resolve("golden.safetensors"),
        bad.resolve("golden.safetensors"),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING,
      ): Unit
      assert(refused(s"CREATE MODEL bad USING '$bad'").startsWith("BUNDLE_CORRUPT: "))
      rehash(bad)
      val message = refused(s"CREATE MODEL bad USING '$bad'")
      assert(
        message.startsWith("MODEL_UNFIT: model 'colour' failed verification: onnx variant: "),
        message,
      )
      assert(collected("SHOW MODELS LIKE 'bad'").isEmpty)
    }
  }

  test("a query uses one version of a model, even if another one is created while it runs") {
    withModels { _ =>
      collected(s"CREATE MODEL paint USING '$colour'"): Unit
      val before = score("paint")
      val frame = spark.sql(
        "SELECT a.s, b.s FROM (SELECT ml_predict('paint', content).score AS s FROM one) a, " +
          "(SELECT ml_predict('paint', content).score AS s FROM one) b"
      )
      collected(s"CREATE OR REPLACE MODEL paint USING '$means'"): Unit
      assert(frame.collect().toSeq == Seq(Row(before.toFloat, before.toFloat)))
      assert(score("paint") != before)
    }
  }

  test("CREATE MODEL without a models root raises NO_MODELS_ROOT") {
    spark.conf.unset(SessionModels.ModelsSetting)
    assert(refused(s"CREATE MODEL paint USING '$colour'").startsWith("NO_MODELS_ROOT: "))
  }

  test("a name that is not a valid file name is rejected") {
    withModels { _ =>
      Seq("../x", "..", "x.zip", "a:b").foreach { name =>
        val message = refused(s"CREATE MODEL `$name` USING '$colour'")
        assert(message.startsWith(s"WRONG_MODEL_NAME: '$name'"), message)
      }
      Seq("..", ".", "a:b").foreach { name =>
        val message = refused(s"SELECT ml_predict('$name', X'00')")
        assert(message.startsWith(s"UNKNOWN_MODEL: '$name'"), message)
      }
    }
  }

  /** Writes the manifest with the changed files' hashes, so that only the golden outputs are wrong. */
  private def rehash(folder: Path): Unit =
    sightline.TestPython.run(
      """import hashlib, json, pathlib, sys
        |folder = pathlib.Path(sys.argv[1])
        |manifest = json.loads((folder / "model.json").read_text())
        |golden = (folder / "golden.safetensors").read_bytes()
        |manifest["files"]["golden.safetensors"] = hashlib.sha256(golden).hexdigest()
        |(folder / "model.json").write_text(json.dumps(manifest, indent=2, sort_keys=True))""".stripMargin,
      arguments = Seq(folder.toString),
    ): Unit
}
