package sightline.cli

import java.awt.Color
import java.nio.file.Files
import java.time.Instant
import java.util.concurrent.CountDownLatch

import org.apache.spark.scheduler.{SparkListener, SparkListenerTaskStart}
import org.json4s.*
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.model.TestBundle
import sightline.{ColourBundle, TestImage}

/** Command lines from end to end, in the JVM of the tests; tests/ runs the jar. */
final class MainWithSparkSuite extends AnyFunSuite with ColourPredictions {

  test("each row of features has a file name, a split, and a vector or an error") {
    withFolder { folder =>
      write(folder, "images/Training/red/a.png", TestImage.of(Color.RED)): Unit
      write(folder, "images/Training/red/bad.png", "no image"): Unit
      write(folder, "images/Test/blue/b.png", TestImage.of(Color.BLUE)): Unit
      val arguments =
        Seq("features", "--images", folder.resolve("images"), "--output", folder.resolve("out"))
      val done = runAlone(arguments ++ Seq("--model", ColourBundle.means.folder): _*)
      assert(done.status == 0, done.err)
      assert(done.out.startsWith("3 images: 2 with features, 1 errors: 1 UNSUPPORTED"))
      assert(done.out.contains(s"Next: spark-submit sightline.jar pca --features $folder/out"))
      val found = spark.read.parquet(s"$folder/out").orderBy("filename")
      val cells = found
        .selectExpr("filename", "label", "split", "features", "error.code")
        .collect()
        .map(_.toSeq.mkString(" "))
      assert(
        cells.toSeq == Seq(
          "a.png red train ArraySeq(255.0, 0.0, 0.0) null",
          "b.png blue test ArraySeq(0.0, 0.0, 255.0) null",
          "bad.png red train null UNSUPPORTED",
        )
      )
      val record = json(folder.resolve("out/_run/run.json"))
      assert(record \ "splits" \ "train" \ "images" == JInt(2))
      assert(record \ "splits" \ "test" \ "images" == JInt(1))
      // Two tasks with one image each for train, and one task for test.
      assert(record \ "partitions" == JInt(3))
      assert((record \ "seconds").children.size == 7)

      val refused = run(arguments ++ Seq("--overwrite", "--model", model): _*)
      assert(refused.status == 2)
      assert(refused.err.contains("NO_FEATURES: model 'colour' has no output of features"))
    }
  }

  test("features takes the splits from a table's column and reads each image once") {
    withFolder { folder =>
      val content = images(folder)
      val table = write(
        folder,
        "t.csv",
        s"path,split\n$content/red/a.png,Training\n$content/red/b.png,kept\n",
      )
      val done = run(
        "features",
        "--images",
        table,
        "--model",
        ColourBundle.means.folder,
        "--output",
        s"$folder/out",
      )
      assert(done.status == 0, done.err)
      val found = spark.read.parquet(s"$folder/out").orderBy("filename").select("filename", "split")
      assert(
        found.collect().map(_.toSeq.mkString(" ")).toSeq == Seq("a.png train", "b.png kept")
      )
      assert(json(folder.resolve("out/_run/run.json")) \ "worker" \ "images" == JDouble(2))
    }
  }

  test("evaluate and sql read the output of predict") {
    withFolder { folder =>
      val predicted = runAlone(predictLine(folder, images(folder)): _*)
      assert(predicted.status == 0, predicted.err)
      assert(predicted.out.startsWith("4 images: 3 predicted, 1 errors: 1 UNSUPPORTED"))
      val counts = json(folder.resolve("out/_run/run.json")) \ "counts"
      assert(counts \ "images" == JInt(4))
      assert(counts \ "predicted" == JInt(3))
      assert(counts \ "errors" == JObject("UNSUPPORTED" -> JInt(1)))

      val evaluated =
        runAlone("evaluate", "--predictions", s"$folder/out", "--output", s"$folder/eval")
      assert(evaluated.status == 0, evaluated.err)
      assert(evaluated.out.contains("== Confusion matrix =="))
      val metrics = json(folder.resolve("eval/metrics.json"))
      assert(metrics \ "accuracy" == JDouble(0.5))
      assert(
        names(folder.resolve("eval")).filterNot(_.startsWith(".")) ==
          Seq("confusion_matrix", "metrics.json", "per_class", "run.json")
      )

      val asked = runAlone(
        "sql",
        "--predictions",
        s"$folder/out",
        "-e",
        "-- title: Labels\nSELECT prediction.label, count(*) AS n FROM predictions GROUP BY 1 ORDER BY 2",
        "--repeat",
        2,
      )
      assert(asked.status == 0, asked.err)
      assert(asked.out.contains("|blue |2|"))
      assert(
        asked.out.linesIterator.count(
          _.matches("Labels Query Time: [0-9.]+ seconds \\(.* run\\)")
        ) == 2
      )
    }
  }

  test("--on-error fail stops with an error that has the image's path, and writes no output") {
    withFolder { folder =>
      val output = predict(folder, images(folder), "--on-error", "fail")
      assert(output.status == 1)
      assert(
        output.lastError.startsWith(
          s"sightline: IMAGE_FAILED: $folder/images/blue/bad.png: UNSUPPORTED: "
        )
      )
      assert(names(folder) == Seq("images"))
    }
  }

  test("--on-error drop removes and counts failed rows in every format, even if none remain") {
    Seq("parquet", "csv", "json").foreach { format =>
      withFolder { folder =>
        val output =
          predict(
            folder,
            images(folder).resolve("blue/bad.png"),
            "--on-error",
            "drop",
            "--format",
            format,
          )
        assert(output.status == 0, output.err)
        assert(output.out.startsWith("1 images: 0 predicted, 1 errors: 1 UNSUPPORTED"))
      }
    }
  }

  test("--on-error drop counts an error with a code that only the table has") {
    withFolder { folder =>
      spark
        .sql(
          "SELECT 'a' AS path, CAST(NULL AS BINARY) AS content, " +
            "named_struct('code', 'ODD', 'stage', 'read', 'message', 'odd') AS error"
        )
        .write
        .parquet(s"$folder/t.parquet")
      val output = predict(folder, folder.resolve("t.parquet"), "--on-error", "drop")
      assert(output.status == 0, output.err)
      assert(output.out.startsWith("1 images: 0 predicted, 1 errors: 1 ODD"))
    }
  }

  test("--on-error drop counts exactly even if Spark's listeners receive no events") {
    withFolder { folder =>
      // Our own listeners are behind this one in the same queue.
      val isOver = new CountDownLatch(1)
      spark.sparkContext.addSparkListener(new SparkListener {
        override def onTaskStart(event: SparkListenerTaskStart): Unit = isOver.await()
      })
      val line = Seq("predict", "--images", s"${images(folder)}", "--model", model) ++
        Seq("--output", s"$folder/out", "--on-error", "drop")
      val done =
        try
          Output.of(CommandLine.run(Seq(PredictCommand), line, Instant.now)((_, use) => use(spark)))
        finally isOver.countDown()
      assert(done.status == 0, done.err)
      assert(done.out.startsWith("4 images: 3 predicted, 1 errors: 1 UNSUPPORTED"))
      assert(spark.read.parquet(s"$folder/out").where("error IS NULL").count() == 3)
    }
  }

  test("a run above --max-error-rate fails and writes no output") {
    withFolder { folder =>
      val refused = predict(folder, images(folder), "--max-error-rate", "0.2")
      assert(refused.status == 1)
      assert(
        refused.lastError == "sightline: MAX_ERROR_RATE_EXCEEDED: 25.0% of the images failed (1 errors: " +
          "1 UNSUPPORTED), the limit is 20.0%. Nothing was published."
      )
      assert(names(folder) == Seq("images"))
      assert(predict(folder, images(folder), "--max-error-rate", "0.25").status == 0)
    }
  }

  test("--limit takes the first images, and --top-k limits the labels of each") {
    withFolder { folder =>
      val output = predict(folder, images(folder), "--limit", 2, "--top-k", 1, "--format", "json")
      assert(output.status == 0, output.err)
      val rows = spark.read.json(s"$folder/out")
      assert(
        rows.selectExpr("path").collect().map(_.getString(0).split('/').last).sorted.toSeq ==
          Seq("bad.png", "c.jpg")
      )
      assert(rows.selectExpr("max(size(prediction.top_k))").head().getInt(0) == 1)
    }
  }

  test("files that are not images are skipped and reported, and do not count as errors") {
    withFolder { folder =>
      val all = images(folder)
      Files.delete(all.resolve("blue/bad.png"))
      Seq("manifest.csv", "red/notes.txt", "LICENSE").foreach(write(all, _, "text"): Unit)
      val done = predict(folder, all, "--max-error-rate", 0)
      assert(done.status == 0, done.err)
      assert(done.out.startsWith("3 images: 3 predicted, no errors"))
      assert(done.err.contains(s"$all: 3 files left out (1 without an ending, 1 .csv, 1 .txt)"))
      val record = json(folder.resolve("out/_run/run.json"))
      assert(record \ "left_out" \ "csv" == JInt(1))
      val every = predict(folder, all, "--overwrite", "--include", "*", "--exclude", "*.csv,red/*")
      assert(every.out.startsWith("2 images: 1 predicted, 1 errors: 1 UNSUPPORTED"), every.out)
      val listed = spark
        .sql(
          s"SELECT relative_path FROM read_images('$all', include => '*', exclude => '*.png') ORDER BY 1"
        )
      assert(
        listed.collect().map(_.getString(0)).toSeq ==
          Seq("LICENSE", "blue/c.jpg", "manifest.csv", "red/notes.txt")
      )
      assert(spark.sql(s"SELECT * FROM read_images('$all')").count() == 3)
      assert(
        predict(
          folder,
          write(folder, "t.csv", "path\nimages/LICENSE\n"),
          "--include",
          "*",
          "--overwrite",
        ).err
          .contains("WRONG_ARGUMENTS: --include, --exclude: They are for folders and globs.")
      )
    }
  }

  test("a run skips the outputs of earlier runs in the folder of images") {
    withFolder { folder =>
      val all = images(folder)
      val done = run("predict", "--images", all, "--model", model, "--output", s"$all/out")
      assert(done.status == 0, done.err)
      write(all, "out/page.png", TestImage.of(Color.RED)): Unit
      val next = predict(folder, all, "--include", "*")
      assert(next.out.startsWith("4 images: 3 predicted, 1 errors"), next.out)
      assert(next.err.contains(s"Skipped, because they are outputs of runs: $all/out."))
    }
  }

  test("the reported time is the whole time since the start, and the sum of its parts") {
    withFolder { folder =>
      spark.stop()
      val started = java.time.Instant.now.minusSeconds(40)
      val done = Output.of(
        Main.run(
          Seq(
            "predict",
            "--images",
            s"${images(folder)}",
            "--model",
            model,
            "--output",
            s"$folder/out",
          ),
          started,
        )
      )
      val Time =
        """(?s).*\n([\d.]+) s: startup ([\d.]+), model ([\d.]+), list ([\d.]+), preflight ([\d.]+), predict ([\d.]+), count ([\d.]+), other ([\d.]+)\n.*""".r
      done.out match {
        case Time(whole, parts @ _*) =>
          assert(parts.head.toDouble >= 40)
          assert(math.abs(whole.toDouble - parts.map(_.toDouble).sum) < 0.5)
        case other => fail(other)
      }
      assert(
        (json(
          folder.resolve("out/_run/run.json")
        ) \ "seconds" \ "startup").values.toString.toDouble >= 40
      )
    }
  }

  test("the error for an unknown model lists the known ones") {
    withFolder { folder =>
      val output = run(
        "predict",
        "--images",
        images(folder),
        "--model",
        "resnet5",
        "--models",
        ColourBundle.models,
        "--output",
        s"$folder/out",
      )
      assertWrong(output, "UNKNOWN_MODEL: 'resnet5'. Known: colour")
      assert(names(folder) == Seq("images"))
    }
  }

  test("a backend without a variant in the model is rejected") {
    withFolder { folder =>
      assertWrong(
        predict(folder, images(folder), "--backend", "pytorch"),
        "NO_VARIANT: model 'colour'",
      )
    }
  }

  test("the error for an input without images has the path and the reason") {
    withFolder { folder =>
      write(folder, "empty/_hidden", ""): Unit
      Seq("README", "manifest.csv").foreach(name => write(folder, s"others/$name", "x"): Unit)
      write(folder, "t.csv", "id,name\n1,a.jpg\n"): Unit
      Seq(
        s"$folder/none" -> s"PATH_NOT_FOUND: $folder/none does not exist.",
        s"$folder/empty" -> s"NO_IMAGES: $folder/empty holds no images.",
        s"$folder/*.jpg" -> s"PATH_NOT_FOUND: $folder/*.jpg matches nothing.",
        s"$folder/others" -> s"NO_IMAGES: $folder/others holds no images. 2 files left out (1 without an ending, 1 .csv)",
        s"$folder/t.csv" -> s"UNKNOWN_COLUMN: $folder/t.csv has no column 'path' or 'image_path' or 'file'. It has: id, name.",
        "s9://bucket/images" -> "UNKNOWN_SCHEME: No FileSystem for scheme \"s9\".",
      ).foreach { case (images, message) => assertWrong(predict(folder, images), message) }
      assert(names(folder) == Seq("empty", "others", "t.csv"))
    }
  }

  test("a bundle with a changed byte is rejected, and the error has the file's name") {
    withFolder { folder =>
      val bundle = TestBundle.in(folder)
      write(bundle, "model.onnx", "grapf"): Unit
      val output =
        run("predict", "--images", images(folder), "--model", bundle, "--output", s"$folder/out")
      assertWrong(output, s"BUNDLE_CORRUPT: $bundle cannot be used: 'model.onnx' has sha256")
    }
  }

  test("a missing Python interpreter is rejected before any task starts") {
    val before = System.setProperty("spark.pyspark.python", "/nowhere/python")
    try {
      withFolder { folder =>
        assertWrong(
          runAlone(predictLine(folder, images(folder)): _*),
          "PYTHON_NOT_FOUND: '/nowhere/python' cannot be started",
        )
      }
    } finally System.setProperty("spark.pyspark.python", before): Unit
  }

  test("errors in SQL are printed without a stack trace") {
    def sql(text: String, more: String*): Output = run(Seq("sql", "-e", text) ++ more: _*)
    assertWrong(sql("SELEC 1"), "INVALID_SQL: [PARSE_SYNTAX_ERROR]")
    assertWrong(sql("SELECT * FROM nothing"), "INVALID_SQL: [TABLE_OR_VIEW_NOT_FOUND]")
    assertWrong(sql("SELECT 1", "--view", "t=/nowhere.csv"), "INVALID_SQL: [PATH_NOT_FOUND]")
    val call = "SELECT get_image_inference_udf('x', 'onx')"
    assertWrong(sql(call, "--set", s"spark.sightline.imageModel=$model"), "UNKNOWN_BACKEND: ")
  }
}
