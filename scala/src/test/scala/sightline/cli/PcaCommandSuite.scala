package sightline.cli

import java.nio.file.{Files, Path}
import java.time.Instant
import java.util.Locale

import scala.jdk.CollectionConverters.*
import scala.util.Random

import org.apache.spark.ml.PipelineModel
import org.apache.spark.ml.functions.{array_to_vector, vector_to_array}
import org.apache.spark.sql.functions.col
import org.apache.spark.sql.types.*
import org.apache.spark.sql.{DataFrame, Row}
import org.json4s.*
import org.json4s.jackson.JsonMethods
import org.scalatest.funsuite.AnyFunSuite

import sightline.LocalSpark
import sightline.TestFolder.{withFolder, write}
import sightline.source.Columns

/** `pca` without its report and its tracking, which tests/ checks with the jar. */
final class PcaCommandSuite extends AnyFunSuite with LocalSpark {

  private def run(arguments: Any*): Output = {
    val line = "pca" +: arguments.map(_.toString) :+ "--no-report"
    Output.of(CommandLine.run(Seq(PcaCommand), line, Instant.now)((_, use) => use(spark)))
  }

  private val schema = new StructType()
    .add("path", StringType)
    .add("label", StringType)
    .add("features", ArrayType(FloatType))
    .add("error", Columns.ErrorType)

  private def vector(values: Double*): Seq[Float] = values.map(_.toFloat)

  /** Writes rows of path, label and features; a row without features has an error. */
  private def features(folder: Path, rows: (String, String, Option[Seq[Float]])*): String = {
    val table = rows.map { case (path, label, vector) =>
      val error = Option.when(vector.isEmpty)(Row("CORRUPT", "decode", s"$path is broken."))
      Row(path, Option(label).filter(_.nonEmpty).orNull, vector.orNull, error.orNull)
    }
    val target = folder.resolve("features").toString
    spark.createDataFrame(table.asJava, schema).write.mode("overwrite").parquet(target)
    target
  }

  /** Twelve rows of three features: the second is twice the first, the third is noise. */
  private def fruits(folder: Path): String = {
    val random = new Random(7)
    features(
      folder,
      (0 until 12).map { i =>
        val split = if (i % 4 == 3) "Test" else "Training"
        val x = random.nextGaussian()
        val name = f"fruits/$split/${if (i < 6) "Apple" else "007"}/$i%02d.jpg"
        (name, name.split("/")(2), Some(vector(x, 2 * x, random.nextGaussian())))
      }: _*
    )
  }

  private def json(file: Path): JValue = JsonMethods.parse(Files.readString(file))

  private def components(folder: Path): Map[String, Seq[Float]] =
    rows(spark.read.parquet(folder.resolve("components").toString))

  private def rows(table: DataFrame): Map[String, Seq[Float]] =
    table
      .select("filename", "components")
      .collect()
      .map(row => row.getString(0) -> row.getSeq[Float](1).toSeq)
      .toMap

  test("PCA is fitted on the training split and applied to every split") {
    withFolder { folder =>
      val out = folder.resolve("out")
      val done = run("--features", fruits(folder), "--k", 2, "--output", out)
      assert(done.status == 0, done.err)
      assert(done.out.startsWith("12 rows (9 train, 3 test), 0 without features left out"))
      assert(done.out.contains("3 features → 2 components, fitted on 9; they explain 100.0%"))

      val record = json(out.resolve("run.json"))
      assert(record \ "pca" \ "fitted_on" == JInt(9))
      assert(record \ "splits" == JObject("train" -> JInt(9), "test" -> JInt(3)))
      val variance = (record \ "pca" \ "spectrum").children.collect { case JDouble(x) => x }
      assert(variance.size == 3)
      // Two of three scaled features are equal: one component has over 2/3 of the variance.
      assert(variance.head > 0.66 && variance(2).abs < 1e-9)
      assert(record \ "pca" \ "components_for" \ "0.99" == JInt(2))

      // Only the training rows have mean 0.
      val found = components(out)
      val (test, train) = found.partition { case (name, _) => name.take(2).toInt % 4 == 3 }
      assert(found.size == 12)
      assert(train.values.map(_.head).sum.abs < 1e-4)
      assert(test.values.map(_.head).sum.abs > 1e-2)
    }
  }

  test("the explained variance is right, also for fewer rows than features") {
    withFolder { folder =>
      val random = new Random(11)
      val (count, length) = (40, 120)
      val basis = Seq.fill(6)(Seq.fill(length)(random.nextGaussian()))
      val table = features(
        folder,
        (0 until count).map { i =>
          val weights = basis.indices.map(j => random.nextGaussian() * (6 - j))
          val values = (0 until length).map { f =>
            // Every tenth feature is always 0.
            if (f % 10 == 0) 0d
            else basis.indices.map(j => weights(j) * basis(j)(f)).sum + random.nextGaussian() / 10
          }
          (f"train/a/$i%02d.jpg", "a", Some(vector(values: _*)))
        }: _*
      )
      val out = folder.resolve("out")
      val done = run("--features", table, "--k", 20, "--output", out)
      assert(done.status == 0, done.err)
      val shares = (json(out.resolve("run.json")) \ "pca" \ "spectrum").children.collect {
        case JDouble(x) => x
      }
      assert((shares.sum - 1).abs < 1e-9)
      assert(shares.drop(count - 1).max < 1e-12)
      val projected = components(out).values.toSeq
      // Each feature that is not constant has variance 1 after scaling.
      val total = 0.9 * length
      (0 until 20).foreach { k =>
        val variance = projected.map(row => row(k).toDouble * row(k)).sum / (count - 1)
        assert((variance / total - shares(k)).abs < 1e-6, s"component $k")
      }
      assert(projected.map(row => row(0) * row(1)).sum.abs < 1e-2)
    }
  }

  test("the output has Parquet by split and label, a CSV file per split, and a sample") {
    withFolder { folder =>
      val out = folder.resolve("out")
      assert(run("--features", fruits(folder), "--k", 2, "--output", out).status == 0)
      val parts = Seq("split=train/label=Apple", "split=test/label=007")
      assert(parts.forall(part => Files.isDirectory(out.resolve(s"components/$part"))))
      val lines = Files.readAllLines(out.resolve("csv/test.csv")).asScala
      assert(lines.head == "path,filename,label,f_0,f_1")
      assert(
        lines.drop(1).map(_.split(",").take(3).mkString(" ")) ==
          Seq(
            "fruits/Test/007/07.jpg 07.jpg 007",
            "fruits/Test/007/11.jpg 11.jpg 007",
            "fruits/Test/Apple/03.jpg 03.jpg Apple",
          )
      )
      val sample = spark.read.parquet(out.resolve("sample").toString)
      assert(sample.columns.toSeq == Seq("path", "filename", "label", "split", "components"))
      assert(sample.count() == 12)
      assert(sample.where(col("label") === "007").count() == 6)
    }
  }

  test("the saved model is a Spark ML pipeline that gives the same components") {
    withFolder { folder =>
      val (table, out) = (fruits(folder), folder.resolve("out"))
      assert(run("--features", table, "--k", 2, "--output", out).status == 0)
      val vectors = spark.read
        .parquet(table)
        .select(
          col("path").substr(-6, 6).as("filename"),
          array_to_vector(col("features")).as("features"),
        )
      val projected = PipelineModel.load(out.resolve("model").toString).transform(vectors)
      assert(
        rows(projected.withColumn("components", vector_to_array(col("components"), "float32"))) ==
          components(out)
      )
    }
  }

  test("--apply uses an earlier model without fitting") {
    withFolder { folder =>
      val table = fruits(folder)
      val (first, second) = (folder.resolve("first"), folder.resolve("second"))
      assert(run("--features", table, "--k", 2, "--output", first).status == 0)
      val applied = run("--features", table, "--apply", first, "--output", second)
      assert(applied.status == 0, applied.err)
      assert(applied.out.contains("3 features → 2 components, by an earlier model"))
      assert(components(second) == components(first))
      assert(json(second.resolve("run.json")) \ "pca" \ "applied" == JString(first.toString))
      assert(PipelineModel.load(second.resolve("model").toString).stages.length == 2)
    }
  }

  test("--apply rejects features of another length or from another model") {
    withFolder { folder =>
      val out = folder.resolve("out")
      val table = fruits(folder)
      write(folder, "features/_run/run.json", """{"model": {"sha256": "aaaa"}}"""): Unit
      assert(run("--features", table, "--k", 2, "--output", out).status == 0)
      write(folder, "features/_run/run.json", """{"model": {"sha256": "bbbb"}}"""): Unit
      val other = run("--features", table, "--apply", out, "--output", folder.resolve("b"))
      assert(other.status == 2)
      assert(other.err.contains("FEATURES_MISMATCH: ") && other.err.contains("model aaaa"))
      val short = features(folder, ("a.jpg", "a", Some(vector(1, 2))))
      val refused = run("--features", short, "--apply", out, "--output", folder.resolve("c"))
      assert(refused.status == 2)
      assert(refused.err.contains("was fitted on 3 features, and these are 2 features"))
    }
  }

  test("a --k above the possible number of components is rejected, and the error has the limit") {
    withFolder { folder =>
      val table = fruits(folder)
      val wide = run("--features", table, "--k", 4, "--output", folder.resolve("a"))
      assert(wide.status == 2)
      assert(
        wide.err.contains("K_TOO_LARGE: --k is 4, but 9 training rows of 3 features have no more")
      )
      assert(wide.err.contains("Use --k 3 or less."))
      val few = features(
        folder,
        ("train/a/1.jpg", "a", Some(vector(1, 2, 3))),
        ("train/a/2.jpg", "a", Some(vector(3, 2, 1))),
      )
      val refused = run("--features", few, "--k", 2, "--output", folder.resolve("b"))
      assert(refused.err.contains("2 training rows of 3 features have no more than 1 components"))
      assert(!Files.exists(folder.resolve("b")))
    }
  }

  test("rows without a training split are rejected unless --no-split or --split-column is given") {
    withFolder { folder =>
      val table = features(
        folder,
        ("x/1.jpg", "fold 1", Some(vector(1, 2))),
        ("x/2.jpg", "Training", Some(vector(2, 1))),
        ("x/3.jpg", "Training", Some(vector(5, 5))),
      )
      val refused = run("--features", table, "--k", 1, "--output", folder.resolve("a"))
      assert(refused.status == 2)
      assert(refused.err.contains("NO_TRAINING_ROWS: none of the 3 rows"))
      val whole = run("--features", table, "--k", 1, "--no-split", "--output", folder.resolve("b"))
      assert(whole.out.contains("3 rows (3 all)") && whole.out.contains("fitted on 3"), whole.err)
      val column = run(
        "--features",
        table,
        "--k",
        1,
        "--split-column",
        "label",
        "--output",
        folder.resolve("c"),
      )
      assert(column.out.contains("3 rows (2 train, 1 fold 1)"), column.err)
      assert(Files.exists(folder.resolve("c/csv/fold 1.csv")))
      val absent =
        run("--features", table, "--split-column", "part", "--output", folder.resolve("d"))
      assert(absent.err.contains("has no column 'part'"))
    }
  }

  test("rows without features are not projected, and their errors are counted") {
    withFolder { folder =>
      val table = features(
        folder,
        ("train/a/1.jpg", "a", Some(vector(1, 2))),
        ("train/a/2.jpg", "", Some(vector(2, 5))),
        ("train/a/3.jpg", "a", None),
      )
      val out = folder.resolve("out")
      val done = run("--features", table, "--k", 1, "--output", out)
      assert(done.status == 0, done.err)
      val record = json(out.resolve("run.json"))
      assert(record \ "counts" \ "errors" == JObject("CORRUPT" -> JInt(1)))
      assert((record \ "error_samples")(0) \ "message" == JString("train/a/3.jpg is broken."))
      assert((record \ "classes")(0) == JObject("label" -> JNull, "train" -> JInt(1)))
      assert(components(out).keySet == Set("1.jpg", "2.jpg"))
    }
  }

  test("an empty label is read back as NULL, and a label with special characters unchanged") {
    withFolder { folder =>
      val table = spark.createDataFrame(
        Seq("", "a/b", "50%", "ü").zipWithIndex.map { case (label, i) =>
          Row(s"train/$i.jpg", label, vector(i, i * i % 3), None.orNull)
        }.asJava,
        schema,
      )
      table.write.parquet(s"$folder/features")
      val out = folder.resolve("out")
      val done = run("--features", s"$folder/features", "--k", 1, "--output", out)
      assert(done.status == 0, done.err)
      val labels = spark.read.parquet(s"$out/sample").orderBy("path").select("label").collect()
      assert(labels.map(_.getString(0)).toSeq == Seq(None.orNull, "a/b", "50%", "ü"))
    }
  }

  test("training rows that are all equal are rejected") {
    withFolder { folder =>
      val same = (0 until 4).map(i => (s"train/$i.jpg", "a", Some(vector(1, 2))))
      val refused =
        run("--features", features(folder, same: _*), "--k", 1, "--output", folder.resolve("out"))
      assert(refused.status == 2)
      assert(refused.err.contains("NO_VARIANCE: all training rows have the same features"))
    }
  }

  test("run.json has the same numbers in every locale") {
    val before = Locale.getDefault
    Locale.setDefault(Locale.GERMANY)
    try {
      withFolder { folder =>
        val out = folder.resolve("out")
        assert(run("--features", fruits(folder), "--k", 2, "--output", out).status == 0)
        val reached = json(out.resolve("run.json")) \ "pca" \ "components_for"
        assert(reached == JObject("0.90" -> JInt(2), "0.95" -> JInt(2), "0.99" -> JInt(2)))
      }
    } finally Locale.setDefault(before)
  }

  test("NaN and infinite features are rejected, also in rows that are not used for fitting") {
    withFolder { folder =>
      val held = features(
        folder,
        ("train/1.jpg", "a", Some(vector(1, 2))),
        ("train/2.jpg", "a", Some(vector(2, 1))),
        ("test/3.jpg", "a", Some(vector(1, Double.PositiveInfinity))),
      )
      val infinite = run("--features", held, "--k", 1, "--output", folder.resolve("out"))
      assert(infinite.status == 2, infinite.err)
      assert(infinite.err.contains("NON_FINITE_FEATURES: a feature of test/3.jpg"))
      val table = features(
        folder,
        ("train/1.jpg", "a", Some(vector(1, 2))),
        ("train/2.jpg", "a", Some(vector(1, Double.NaN))),
        ("train/3.jpg", "a", Some(vector(2, 1))),
      )
      val refused = run("--features", table, "--k", 1, "--output", folder.resolve("out"))
      assert(refused.status == 2)
      assert(refused.err.contains("NON_FINITE_FEATURES: feature 1 of some training row is NaN"))
    }
  }

  test("the report is written to the file system of the output") {
    withFolder { folder =>
      fruits(folder): Unit
      val hadoop = spark.sparkContext.hadoopConfiguration
      hadoop.set("fs.viewfs.mounttable.far.link./runs", folder.toUri.toString)
      val line = Seq("pca", "--features", "viewfs://far/runs/features", "--k", "2", "--output") :+
        "viewfs://far/runs/out"
      val done =
        Output.of(CommandLine.run(Seq(PcaCommand), line, Instant.now)((_, use) => use(spark)))
      assert(done.status == 0, done.err)
      assert(Files.readString(folder.resolve("out/report.html")).contains("Explained variance"))
      assert(Files.size(folder.resolve("out/pca_variance.png")) > 1000)
      assert(components(folder.resolve("out")).size == 12)
    }
  }

  test("an input that is not features is rejected, and a failed run keeps the old output") {
    withFolder { folder =>
      val out = folder.resolve("out")
      val table = fruits(folder)
      assert(run("--features", table, "--k", 2, "--output", out).status == 0)
      val old = Files.readString(out.resolve("run.json"))
      assert(run("--features", table, "--output", out).err.contains("OUTPUT_EXISTS"))
      val failed = run("--features", table, "--k", 9, "--output", out, "--overwrite")
      assert(failed.err.contains("K_TOO_LARGE"))
      assert(Files.readString(out.resolve("run.json")) == old)
      val ragged = features(
        folder,
        ("train/1.jpg", "a", Some(vector(1, 2))),
        ("train/2.jpg", "a", Some(vector(1))),
      )
      val refused = run("--features", ragged, "--output", out, "--overwrite")
      assert(refused.err.contains("some rows have 1 features and others 2"))
      assert(
        run("--features", out.resolve("csv"), "--output", folder.resolve("b")).err
          .contains("NOT_FEATURES")
      )
      assert(
        run("--features", folder.resolve("nowhere"), "--output", folder.resolve("b")).err
          .contains("PATH_NOT_FOUND")
      )
      assert(Files.readString(out.resolve("run.json")) == old)
      assert(
        Files.list(folder).iterator.asScala.map(_.getFileName.toString).toSet ==
          Set("features", "out")
      )
    }
  }
}
