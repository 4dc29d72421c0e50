package sightline

import java.net.URI
import java.nio.file.attribute.PosixFilePermissions
import java.nio.file.{Files, Path}

import org.apache.commons.io.FileUtils
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileStatus, Path as HadoopPath, RawLocalFileSystem}
import org.apache.hadoop.security.AccessControlException
import org.apache.spark.sql.AnalysisException
import org.apache.spark.sql.functions.{array, col, concat, lit}
import org.apache.spark.{SparkException, SparkThrowable}
import org.json4s.JObject
import org.json4s.JsonDSL.*
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.model.{Bundle, TestBundle}
import sightline.pca.{ComponentModel, ComponentsOutput, FeatureCounts, FeatureTable}
import sightline.report.{Publication, Tracking, WrittenRows}
import sightline.schedule.{DriverPython, Preflight}
import sightline.source.{ImageRequest, SplitImages}

/** A file system that denies listing folders and fails to rename files. */
final class RefusingFileSystem extends RawLocalFileSystem {
  override def getScheme: String = "refusing"
  override def getUri: URI = URI.create("refusing:///")
  override def checkPath(path: HadoopPath): Unit = ()
  override def rename(from: HadoopPath, to: HadoopPath): Boolean = false
  override def listStatus(path: HadoopPath): Array[FileStatus] =
    throw new AccessControlException(s"user may not list $path")
}

/**
 * The errors that users get, and the conditions that no other suite raises;
 * python/tests/test_error_conditions.py checks that some test raises each condition.
 */
final class ErrorConditionsSuite extends AnyFunSuite with LocalSpark {

  private def raised(use: => Any): SightlineException = intercept[SightlineException](use: Unit)

  private def hadoop: Configuration = {
    val settings = spark.sessionState.newHadoopConf()
    settings.set("fs.refusing.impl", classOf[RefusingFileSystem].getName)
    settings
  }

  private def script(folder: Path, text: String): String = {
    val file = write(folder, "python", s"#!/bin/sh\n$text\n")
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"))
    file.toString
  }

  private val makers: Seq[(String, Path => SightlineException)] = Seq(
    "CODE_NOT_ALLOWED" -> { folder =>
      val variants = "pytorch" -> (("file" -> "model.onnx") ~ ("architecture" -> "mine:net"))
      val bundle = TestBundle.in(folder, changes = Seq("variants" -> JObject(variants)))
      raised(Preflight.requireKnownCode("python", "pytorch", Bundle.open(bundle)))
    },
    "NOT_A_PCA_MODEL" -> { folder =>
      write(folder, "model/stages/0_none/metadata/part-00000", "{}")
      raised(ComponentModel.load(spark, s"$folder/model"))
    },
    "NOT_TRACKED" -> { folder =>
      val tracking = Tracking("http://127.0.0.1:9", "fruits", isOptional = false)
      raised(tracking.log(spark, folder.toString, "out"))
    },
    "OUTPUT_NOT_WRITTEN" -> { folder =>
      val output = s"refusing://$folder/out"
      raised(Publication.prepare(output, overwrite = false, Nil, hadoop).publish())
    },
    "PERMISSION_DENIED" -> { _ =>
      val denied = new AccessControlException("user may not list /secret")
      ErrorTranslation.translate(new SparkException("the job failed", denied)).get
    },
    "PYTHON_FAILED" -> { folder =>
      raised(DriverPython.command(script(folder, "exit 137"), Seq("track")))
    },
    "ROWS_LOST" -> { folder =>
      spark
        .range(1)
        .select(
          lit("a").as("path"),
          array(lit(1.0f)).as("components"),
          lit("train").as("split"),
          lit("red").as("label"),
        )
        .write
        .partitionBy("split", "label")
        .parquet(s"$folder/components")
      val found = new ComponentsOutput(spark, folder.toString).counts("features")
      raised(WrittenRows.check(Map("train" -> 2L), found))
    },
    "SPARK_MISMATCH" -> { _ => raised(Preflight.requireBuildSpark("3.5.0")) },
    "TOO_MANY_LABELS" -> { folder =>
      val many = spark
        .range(10001)
        .select(
          col("id").cast("string").as("label"),
          lit("p").as("path"),
          array(lit(1.0f)).as("features"),
          lit(None.orNull).cast("struct<code string, stage string, message string>").as("error"),
        )
      many.write.parquet(s"$folder/features")
      val table = FeatureTable.open(spark, s"$folder/features", None, whole = true)
      raised(FeatureCounts.of(table, "features"))
    },
    "TOO_MANY_SPLITS" -> { folder =>
      val names = spark
        .range(0, 120, 1, 2)
        .select(
          concat(lit("p/"), col("id")).as("path"),
          col("id").cast("string").as("split"),
        )
      names.write.parquet(s"$folder/t.parquet")
      raised(SplitImages.open(spark, ImageRequest(s"$folder/t.parquet")))
    },
  )

  makers.foreach { case (condition, make) =>
    test(s"$condition is raised with the exit status and SQLSTATE of error_conditions.json") {
      withFolder { folder =>
        val error = make(folder)
        val expected = ErrorConditions(condition)
        assert((error.code, error.exitStatus) == ((condition, expected.exitStatus)))
        assert((error.getCondition, error.getSqlState) == ((condition, expected.sqlState)))
        assert(error.getMessage == s"$condition: ${error.detail}")
        assert(error.getMessage.linesIterator.size == 1)
      }
    }
  }

  test("a message contains its parameters and accepts no others") {
    val error = SightlineException("UNKNOWN_MODEL", "model" -> "a$1b", "known" -> Seq("c", "d"))
    assert(error.getMessage == "UNKNOWN_MODEL: 'a$1b'. Known: c, d.")
    assert(error.parameters == Map("model" -> "a$1b", "known" -> "c, d"))
    assert(
      SightlineException("UNKNOWN_MODEL", "model" -> "m", "known" -> Nil).detail.endsWith("none.")
    )
    assertThrows[IllegalArgumentException](SightlineException("UNKNOWN_MODEL", "model" -> "m"))
    assertThrows[IllegalArgumentException](SightlineException("NO_SQL", "model" -> "m"))
  }

  test("in SQL our errors are AnalysisExceptions with a condition and parameters") {
    val error = intercept[AnalysisException](spark.sql("SELECT ml_predict('nobody', X'00')"))
    assert((error.getCondition, error.getSqlState) == (("UNKNOWN_MODEL", "42704")))
    assert(error.getMessageParameters.get("model") == "nobody")
    assert(error.getMessage.startsWith("UNKNOWN_MODEL: 'nobody'. Known: "))
    assert(error.getDefaultMessageTemplate == "'<model>'. Known: <known>.")
  }

  test("an analysis error is one line without the plan") {
    val model = ColourBundle.bundle.folder
    val sql = s"SELECT transform(array(X'00'), c -> ml_predict('$model', c).label) FROM range(3)"
    val error = intercept[AnalysisException](spark.sql(sql))
    assert(error.getCondition == "WRONG_PLACE")
    assert(error.getMessage.linesIterator.size == 1)
  }

  test("a worker's error is thrown to the caller unchanged, not as a failed job") {
    withFolder { folder =>
      // The file changes after the query was analysed, and before a worker opens it.
      val bundle = folder.resolve("colour")
      FileUtils.copyDirectory(ColourBundle.bundle.folder.toFile, bundle.toFile)
      // Nodes keep a model's files by its hash, so it must be a model that no other test runs.
      val manifest = Files.readString(bundle.resolve("model.json"))
      write(bundle, "model.json", manifest.replace("\"colour\"", "\"changing\""))
      val rows = spark
        .range(0, 4, 1, 2)
        .selectExpr(s"ml_predict('$bundle', X'00', map('batch_rows', '1')).label")
      rows.queryExecution.analyzed: Unit
      write(bundle, "labels.txt", "other\nlabels\nnow\n")
      val error = intercept[SightlineException](rows.collect())
      assert(error.getCondition == "BUNDLE_CORRUPT")
      assert(error.getMessage.contains("labels.txt"))
    }
  }

  test("errors of Java and Hadoop are translated, at any place in the chain of causes") {
    def translated(error: Throwable): Option[String] =
      ErrorTranslation.translate(new RuntimeException("outer", error)).map(_.code)
    Seq(
      new java.io.IOException("No space left on device") -> "DISK_FULL",
      new java.io.IOException("/a/b: Disk quota exceeded") -> "DISK_FULL",
      new RuntimeException("OSError: [Errno 28] No space left on device: 'x'") -> "DISK_FULL",
      new java.net.UnknownHostException("nohost") -> "UNKNOWN_HOST",
      new java.net.ConnectException("Connection refused") -> "STORAGE_UNREACHABLE",
      new java.nio.file.AccessDeniedException("/a") -> "PERMISSION_DENIED",
      new java.io.FileNotFoundException("/a (Permission denied)") -> "PERMISSION_DENIED",
      new java.io.IOException("/a: Read-only file system") -> "PERMISSION_DENIED",
      new java.io.FileNotFoundException("File /a does not exist") -> "PATH_NOT_FOUND",
      new java.nio.file.NoSuchFileException("/a") -> "PATH_NOT_FOUND",
      new IllegalArgumentException("Can not create a Path from an empty string") -> "INVALID_PATH",
      new java.net.URISyntaxException("a:b:c", "wrong") -> "INVALID_PATH",
      new java.io.IOException("Mkdirs failed to create file:/a/b") -> "OUTPUT_NOT_WRITTEN",
    ).foreach { case (error, condition) => assert(translated(error).contains(condition), error) }
    assert(translated(new IllegalStateException("a fault of the program")).isEmpty)
  }

  test("our conditions differ from Spark's, except PATH_NOT_FOUND, which has the same meaning") {
    val sparks = new org.apache.spark.ErrorClassesJsonReader(
      Seq(classOf[SparkThrowable].getClassLoader.getResource("error/error-conditions.json"))
    )
    val both = ErrorConditions.all.keys.filter(sparks.isValidErrorClass).toSeq
    assert(both == Seq("PATH_NOT_FOUND"))
    assert(sparks.getSqlState("PATH_NOT_FOUND") == ErrorConditions("PATH_NOT_FOUND").sqlState)
  }
}
