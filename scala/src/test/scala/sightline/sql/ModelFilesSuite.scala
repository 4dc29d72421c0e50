package sightline.sql

import java.awt.Color
import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters.*
import scala.util.Using

import org.apache.commons.io.FileUtils
import org.apache.spark.sql.{AnalysisException, Row}
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.plan.SessionModels
import sightline.{ColourBundle, LocalSpark, TestImage}

/** Effects of the statements on models on the files under the models root. */
final class ModelFilesSuite extends AnyFunSuite with LocalSpark {

  private lazy val colour = ColourBundle.bundle.folder
  private val none = None.orNull

  private def withRoot[A](root: String)(test: => A): A = {
    spark.conf.set(SessionModels.ModelsSetting, root)
    try test
    finally spark.conf.unset(SessionModels.ModelsSetting)
  }

  private def withModels[A](test: Path => A): A =
    withFolder(folder => withRoot(folder.toString)(test(folder)))

  private def collected(sql: String): Seq[Row] = spark.sql(sql).collect().toSeq

  private def refused(sql: String): String = {
    val message = intercept[AnalysisException](collected(sql)).getMessage
    assert(message.linesIterator.size == 1, message)
    message
  }

  private def answer(model: String): String = {
    val session = spark
    import session.implicits.*
    Seq(TestImage.of(Color.RED)).toDF("content").createOrReplaceTempView("one")
    collected(s"SELECT ml_predict('$model', content).label FROM one").head.getString(0)
  }

  private def copyTo(folder: Path): Path = {
    FileUtils.copyDirectory(colour.toFile, folder.toFile)
    folder
  }

  /** The name of every file below a folder to its bytes. */
  private def tree(folder: Path): Map[String, String] = Using.resource(Files.walk(folder)) {
    _.iterator.asScala
      .filter(Files.isRegularFile(_))
      .map(file =>
        folder.relativize(file).toString -> FileUtils.checksumCRC32(file.toFile).toString
      )
      .toMap
  }

  test("DROP MODEL keeps a user's bundle with the model's name in the models root") {
    withModels { root =>
      val fruits = copyTo(root.resolve("fruits"))
      val before = tree(fruits)
      collected(s"CREATE MODEL fruits USING '$fruits'"): Unit
      collected(s"CREATE OR REPLACE MODEL fruits USING '$root/fruits/'"): Unit
      assert(collected("SHOW MODELS LIKE 'fruits'").head.getInt(1) == 2)
      collected("DROP MODEL fruits"): Unit
      assert(tree(root) == before.map { case (name, bytes) => s"fruits/$name" -> bytes })
      assert(answer("fruits") == "red")
      assert(refused("DROP MODEL fruits").startsWith("MODEL_NOT_CREATED: 'fruits'"))
      assert(tree(fruits) == before)
    }
  }

  test("DROP MODEL keeps the target of a link, and files of users beside the model's files") {
    withModels { root =>
      withFolder { elsewhere =>
        val target = copyTo(elsewhere.resolve("original"))
        Files.createSymbolicLink(root.resolve("fruits"), target): Unit
        Files.createSymbolicLink(root.resolve("_models"), elsewhere): Unit
        val inside = copyTo(root.resolve("_models/inside"))
        val before = tree(elsewhere)
        Seq(root.resolve("fruits"), inside, root.resolve("_models/original")).foreach { source =>
          collected(s"CREATE MODEL fruits USING '$source'"): Unit
          collected(s"CREATE OR REPLACE MODEL fruits USING '$source'"): Unit
          collected("DROP MODEL fruits"): Unit
          assert(tree(elsewhere) == before, source)
        }
      }
    }
  }

  test("model names follow spark.sql.caseSensitive, like table names") {
    withModels { root =>
      collected(s"CREATE MODEL Paint USING '$colour'"): Unit
      assert(refused(s"CREATE MODEL PAINT USING '$colour'").startsWith("MODEL_EXISTS: "))
      assert(collected("SHOW MODELS LIKE 'PAI*'").map(_.getString(0)) == Seq("paint"))
      assert(answer("PaInT") == "red")
      assert(answer("PAINT@1") == "red")
      copyTo(root.resolve("Plain")): Unit
      assert(answer("pLAIN") == "red")
      spark.conf.set("spark.sql.caseSensitive", "true")
      try {
        assert(refused("DROP MODEL PAINT").startsWith("UNKNOWN_MODEL: 'PAINT'. Known: "))
        collected(s"CREATE MODEL PAINT USING '$colour'"): Unit
        assert(
          collected("SHOW MODELS").map(_.getString(0)).filter(_.matches("(?i)paint")) == Seq(
            "PAINT",
            "paint",
          )
        )
        assert(refused("DESCRIBE MODEL plain").startsWith("UNKNOWN_MODEL: 'plain'."))
      } finally spark.conf.unset("spark.sql.caseSensitive")
      assert(
        refused("DESCRIBE MODEL Paint").startsWith(
          "AMBIGUOUS_MODEL: 'Paint' matches PAINT and paint,"
        )
      )
      collected("DROP MODEL paint"): Unit
      assert(answer("paint") == "red")
      collected("DROP MODEL Paint"): Unit
      assert(refused("DESCRIBE MODEL paint").startsWith("UNKNOWN_MODEL: 'paint'."))
    }
  }

  test("a version file that cannot be read affects only its own model, and the error has its path") {
    withModels { root =>
      collected(s"CREATE MODEL paint USING '$colour'"): Unit
      val folder = root.resolve("_models")
      val good = Files.readString(folder.resolve("paint@000001.json"))
      val bad = Map(
        "empty" -> ("", "is empty"),
        "cut" -> (good.take(40), "is not a version file"),
        "other" -> ("[1]", "is not a version file"),
        // This version names a user's file, which DROP MODEL must not remove.
        "robber" -> (good, "is not a version file"),
      )
      bad.foreach { case (name, (text, _)) => write(folder, s"$name@000001.json", text) }
      // A manifest that exists and cannot be read.
      Files.createDirectories(root.resolve("copied/model.json")): Unit
      val listed = collected("SHOW MODELS").map(row => row.getString(0) -> row).toMap
      assert(
        listed("paint") == Row("paint", 1, "classification", 3, "onnx, openvino", none)
      )
      bad.foreach { case (name, (_, why)) =>
        val error = s"MODEL_VERSION_UNREADABLE: version 1 of model '$name' cannot be read: " +
          s"'file:$folder/$name@000001.json' $why."
        assert(listed(name).getString(5).replace("file:///", "file:/").startsWith(error))
        assert(
          refused(s"SELECT ml_predict('$name', X'00')")
            .replace("file:///", "file:/")
            .startsWith(error)
        )
      }
      assert(listed("copied").getString(5).contains("model.json' cannot be read"))
      assert(answer("paint") == "red")
      assert(refused("DESCRIBE MODEL missing").contains(", other, paint, robber."))
      collected(s"CREATE OR REPLACE MODEL empty USING '$colour'"): Unit
      assert(answer("empty") == "red")
      val described =
        collected("DESCRIBE MODEL empty").map(row => row.getString(0) -> row.getString(1)).toMap
      assert(described("version 1").startsWith("MODEL_VERSION_UNREADABLE: "))
      assert(described("version 2").endsWith(s"from $colour"))
      bad.keys.foreach(name => assert(collected(s"DROP MODEL $name").isEmpty))
      assert(answer("paint") == "red")
    }
  }

  test("SHOW MODELS opens no model; using a model whose bundle is missing or changed is an error") {
    withModels { root =>
      collected(s"CREATE MODEL paint USING '$colour'"): Unit
      Files.move(copyTo(root.resolve("lying")).resolve("model.onnx"), root.resolve("gone")): Unit
      val zip = Using.resource(Files.newDirectoryStream(root.resolve("_models"), "paint@*.zip"))(
        _.iterator.next()
      )
      def named(error: String) = {
        assert(
          collected("SHOW MODELS LIKE 'paint'") == Seq(
            Row("paint", 1, "classification", 3, "onnx, openvino", none)
          )
        )
        assert(
          collected("SHOW MODELS LIKE 'lying'") == Seq(
            Row("lying", none, "classification", 3, "onnx, openvino", none)
          )
        )
        val message = refused("SELECT ml_predict('paint', X'00')")
        assert(message.startsWith(error), message)
        assert(message.contains(zip.getFileName.toString), message)
      }
      assert(refused("SELECT ml_predict('lying', X'00')").contains("file 'model.onnx' is missing"))
      Files.writeString(zip, "changed"): Unit
      named("INVALID_BUNDLE: "): Unit
      Files.delete(zip)
      named("BUNDLE_CORRUPT: version 1 of model 'paint' cannot be used: its bundle "): Unit
      collected("DROP MODEL paint"): Unit
      assert(refused("DESCRIBE MODEL paint").startsWith("UNKNOWN_MODEL: "))
    }
  }

  test("every statement raises an error of one line for a models root that cannot be used") {
    withFolder { folder =>
      val file = write(folder, "file", "text")
      // No user can write to /proc, not even root.
      Seq(file.toString, "foo://bucket/models", "hdfs://no-such-host:1/models", "/proc/models")
        .foreach { root =>
          withRoot(root) {
            val message = refused(s"CREATE MODEL paint USING '$colour'")
            assert(
              message.startsWith(s"MODELS_ROOT_UNUSABLE: the models root '$root' cannot be used ("),
              message,
            )
          }
        }
      Seq(file.toString, "foo://bucket/models").foreach { root =>
        withRoot(root) {
          Seq("SHOW MODELS", "DROP MODEL paint", "SELECT ml_predict('id_fraud', X'00')").foreach {
            sql =>
              assert(
                refused(sql).startsWith(
                  s"MODELS_ROOT_UNUSABLE: the models root '$root' cannot be used ("
                ),
                sql,
              )
          }
        }
      }
      withRoot("")(
        assert(refused(s"CREATE MODEL p USING '$colour'").startsWith("NO_MODELS_ROOT: "))
      )
    }
  }

  test("a name that is too long is rejected before the model is opened") {
    withModels { root =>
      val name = "n" * 300
      assert(
        refused(s"CREATE MODEL $name USING '/nowhere'") ==
          "WRONG_MODEL_NAME: 'nnnnnnnnnnnnnnnnnnnn…' (300 characters) is not a valid name for a model. " +
          "Use letters, digits, _, - and ., a letter or digit first, at most 128 characters."
      )
      assert(refused(s"SELECT ml_predict('$name', X'00')").startsWith(s"UNKNOWN_MODEL: '$name'."))
      assert(tree(root).isEmpty)
      collected(s"CREATE MODEL ${"n" * 128} USING '$colour'"): Unit
      assert(answer("n" * 128) == "red")
    }
  }
}
