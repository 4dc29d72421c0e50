package sightline.cli

import java.awt.Color
import java.nio.file.Path

import org.json4s.*
import org.json4s.jackson.JsonMethods
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.{withFolder, write}
import sightline.{TestImage, TestPython}

/** `plan` from end to end. Times differ between runs, so only values that do not depend on them are compared. */
final class PlanCommandSuite extends AnyFunSuite with ColourPredictions {

  implicit private val formats: Formats = DefaultFormats

  private def plan(images: Any, more: Any*): Output = planOf(model, images, more: _*)

  private def planOf(model: Any, images: Any, more: Any*): Output =
    run(Seq[Any]("plan", "--images", images, "--model", model) ++ more: _*)

  private def planned(images: Any, more: Any*): JValue = parsed(plan(images, more :+ "--json": _*))

  private def parsed(done: Output): JValue = {
    assert(done.status == 0, done.err)
    JsonMethods.parse(done.out)
  }

  /** A folder of `count` images, the first `bad` of which cannot be decoded. */
  private def photos(folder: Path, count: Int, bad: Int): Path = {
    val image = TestImage.of(Color.RED)
    (0 until count).foreach { n =>
      val bytes = if (n < bad) "no image".getBytes else image
      write(folder, f"photos/$n%03d.png", bytes): Unit
    }
    folder.resolve("photos")
  }

  test("the images are counted exactly, and failed ones of the sample give the share of errors") {
    withFolder { folder =>
      val found = planned(photos(folder, count = 80, bad = 20), "--sample", 40)
      assert((found \ "images").extract[Long] == 80)
      assert((found \ "sample" \ "images").extract[Int] == 40)
      assert((found \ "sample" \ "executors").extract[Int] == 1)
      assert((found \ "sample" \ "tasks_at_a_time").extract[Int] == 2)
      // One image of each pair is in the sample.
      assert(found \ "sample" \ "errors" == JObject("UNSUPPORTED" -> JInt(10)))
      assert(found \ "errors" == JObject("rate" -> JDouble(0.25), "images" -> JInt(20)))
      assert(names(folder) == Seq("photos"))
    }
  }

  test(
    "a row of the table has the cores, tasks and time of this application, then those of others"
  ) {
    withFolder { folder =>
      val found = planned(photos(folder, count = 300, bad = 0), "--price-per-hour", 3.6)
      val runs = (found \ "runs").extract[Seq[JValue]]
      assert(runs.map(run => (run \ "cores").extract[Int]) == Seq(2, 8, 32, 128))
      // 64 images of each task, at least, and a task for each core.
      assert(runs.map(run => (run \ "partitions").extract[Int]) == Seq(4, 8, 32, 128))
      runs.foreach { run =>
        val seconds = (run \ "seconds").extract[Double]
        assert(math.abs((run \ "hours").extract[Double] - seconds / 3600) < 1e-6)
        // A node has the two cores of this application.
        val nodes = (run \ "cores").extract[Int] / 2
        assert(math.abs((run \ "price").extract[Double] - nodes * seconds / 1000) < 1e-3 * nodes)
        assert(seconds > (run \ "predict_seconds").extract[Double])
      }
      val times = runs.map(run => (run \ "predict_seconds").extract[Double])
      assert(times == times.sorted.reverse)
      val advised = (found \ "advice").extract[Seq[Map[String, String]]]
      assert(
        advised.map(_("setting")) ==
          Seq("partitions", "--batch-rows", "--gpus-per-task", "--decoder", "--precision")
      )
      assert(advised.head("value") == "4")
    }
  }

  test("the costs of the parts are measured, and their sum is that of an image") {
    withFolder { folder =>
      val parts =
        (planned(photos(folder, 100, 0)) \ "cpu_ms_per_image").extract[Map[String, Double]]
      assert(parts.keySet == Set("read", "transfer", "decode", "model", "all"))
      assert(parts("decode") > 0 && parts("model") > 0)
      assert(math.abs(parts("all") - parts.removed("all").values.sum) < 0.001)
    }
  }

  test("large images make decoding the bottleneck, and a large model makes the model it") {
    withFolder { folder =>
      val large = TestImage.of(Color.BLUE, "png", width = 1500, height = 1500)
      (0 until 24).foreach(n => write(folder, s"large/$n.png", large): Unit)
      val decoding = planned(folder.resolve("large"), "--cores", 5)
      assert(decoding \ "bottleneck" == JString("decode"))
      assert((decoding \ "runs").extract[Seq[JValue]].map(_ \ "cores") == Seq(JInt(2), JInt(5)))
      val heavy = TestPython.root.resolve("models/efficientnet_lite0")
      val small = parsed(planOf(heavy, photos(folder, 24, 0), "--json"))
      assert(small \ "bottleneck" == JString("model"))
    }
  }

  test("a table of paths and a table of bytes are counted by their rows") {
    withFolder { folder =>
      photos(folder, 40, bad = 0): Unit
      val rows = (0 until 40).map(n => f"photos/$n%03d.png")
      val table = write(folder, "t.csv", ("path" +: rows).mkString("\n"))
      val ofPaths = planned(table, "--sample", 16)
      assert((ofPaths \ "images", ofPaths \ "sample" \ "images") == ((JInt(40), JInt(16))))
      assert(run("pack-images", "--images", table, "--output", s"$folder/p.parquet").status == 0)
      val ofBytes = planned(s"$folder/p.parquet", "--sample", 16, "--limit", 30)
      assert((ofBytes \ "images", ofBytes \ "sample" \ "images") == ((JInt(30), JInt(16))))
    }
  }

  test("the text names the images, the parts, the bottleneck and the advice") {
    withFolder { folder =>
      val done = plan(images(folder))
      assert(done.status == 0, done.err)
      assert(
        done.out.startsWith(
          "4 images; 4 of them measured, 2 tasks at a time: 1 errors (1 UNSUPPORTED), so about 1 (25.0 %) of all"
        )
      )
      Seq("|decode  |", "Bottleneck: ", "|cores|images/s|", "  --batch-rows ").foreach { text =>
        assert(done.out.contains(text), done.out)
      }
      assert(!done.out.contains("price"))
      assert(names(folder) == Seq("images"))
    }
  }

  test("a wrong model, path or precision gives the error of predict") {
    withFolder { folder =>
      val all = images(folder)
      assertWrong(plan(s"$folder/none"), s"PATH_NOT_FOUND: $folder/none does not exist.")
      assertWrong(planOf("resnet5", all), "UNKNOWN_MODEL: 'resnet5'. Known: ")
      assertWrong(plan(all, "--backend", "pytorch"), "NO_VARIANT: model 'colour'")
      assertWrong(
        plan(all, "--precision", "int8"),
        "NOT_CALIBRATED: model colour has no calibration for 'onnx int8'",
      )
    }
  }
}
