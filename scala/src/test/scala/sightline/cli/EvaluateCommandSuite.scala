package sightline.cli

import java.nio.file.Path

import org.json4s.*
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}

final class EvaluateCommandSuite extends AnyFunSuite with ColourPredictions {

  test("evaluate rejects an input that is missing, is not predictions or has no true labels") {
    withFolder { folder =>
      spark.range(3).write.parquet(s"$folder/other")
      def evaluate(name: String): Output =
        run("evaluate", "--predictions", s"$folder/$name", "--output", s"$folder/eval")
      assertWrong(evaluate("none"), s"PATH_NOT_FOUND: $folder/none does not exist.")
      assertWrong(
        evaluate("other"),
        s"NOT_PREDICTIONS: $folder/other cannot be read as predictions",
      )
      write(folder, "text/x.txt", "text"): Unit
      assertWrong(evaluate("text"), s"NOT_PREDICTIONS: $folder/text")
      // A table with the right names and wrong types, files of other formats, and images.
      spark
        .sql("SELECT 'a' AS path, 'cat' AS prediction, '' AS error")
        .write
        .parquet(s"$folder/texts")
      assertWrong(
        evaluate("texts"),
        s"NOT_PREDICTIONS: $folder/texts cannot be read as predictions (its column prediction is " +
          "not STRUCT<label: STRING, ",
      )
      write(folder, "t.csv", "path,label\na.jpg,cat\n"): Unit
      Seq("parquet", "csv", "json").foreach { format =>
        Seq("t.csv", "images/red/a.png", "images", "other/_SUCCESS").foreach { name =>
          images(folder): Unit
          val output = run(
            "evaluate",
            "--predictions",
            s"$folder/$name",
            "--output",
            s"$folder/eval",
            "--format",
            format,
          )
          assertWrong(output, s"NOT_PREDICTIONS: $folder/$name cannot be read as predictions (it ")
        }
      }
      assert(predict(folder, images(folder), "--labels", "none").status == 0)
      assertWrong(evaluate("out"), "NO_LABELS: no row has a true label.")
      assert(names(folder) == Seq("images", "other", "out", "t.csv", "text", "texts"))
    }
  }

  test("predict reports true labels unknown to the model; if most are, it suggests no evaluation") {
    withFolder { folder =>
      val all = images(folder)
      val rows = Seq(
        "red/a.png,red",
        "red/b.png, green ",
        "red/b.png,Red",
        "blue/c.jpg,Red",
        "blue/bad.png,",
      )
      def table(rows: Seq[String]): Path =
        write(all, "t.csv", ("path,label" +: rows).mkString("", "\n", "\n"))
      val few = predict(folder, table(rows))
      assert(few.status == 0, few.err)
      assert(few.out.contains("True labels: 1 of 4 images have one of the model's labels\n"))
      assert(
        few.out.contains("No evaluation: most of the true labels are not labels of the model.")
      )
      assert(!few.out.contains("evaluate --predictions"))
      assert(
        few.err.linesIterator.contains(
          "sightline: 3 of 4 true labels are none of colour's: 'Red' (2), ' green ' (1). Its labels: " +
            "'red', 'green', 'blue'. Labels must be equal letter by letter, spaces included."
        )
      )
      val record = json(folder.resolve("out/_run/run.json")) \ "true_labels"
      assert(record == JObject("labelled" -> JInt(4), "known" -> JInt(1)))
      val evaluated = run("evaluate", "--predictions", s"$folder/out", "--output", s"$folder/eval")
      assert(
        evaluated.err.contains(
          "sightline: 3 of 4 images have a true label that occurs in no prediction: "
        )
      )

      val half = predict(folder, table(rows.take(2)), "--overwrite")
      assert(half.out.contains("True labels: 1 of 2 images have one of the model's labels\n"))
      assert(
        half.out.contains(s"Next: spark-submit sightline.jar evaluate --predictions $folder/out")
      )
      val none = predict(folder, table(rows.takeRight(1)), "--overwrite")
      assert(none.out.contains("True labels: none\nNo evaluation: no image has a true label."))
      write(all, "ids.csv", "path,label,class_id\nred/a.png,crimson,0\nred/b.png,crimson,3\n"): Unit
      val ids = predict(folder, all.resolve("ids.csv"), "--overwrite")
      assert(ids.err.contains("1 of 2 true labels are none of colour's: 'crimson' (1)."))
    }
  }

  test("evaluate gives the same metrics for every output format") {
    withFolder { folder =>
      val all = Seq("parquet", "csv", "json").map { format =>
        assert(predict(folder, images(folder), "--format", format, "--overwrite").status == 0)
        val output =
          run("evaluate", "--predictions", s"$folder/out", "--output", s"$folder/$format")
        assert(output.status == 0, output.err)
        json(folder.resolve(s"$format/metrics.json"))
      }
      assert(all.distinct.size == 1)
    }
  }
}
