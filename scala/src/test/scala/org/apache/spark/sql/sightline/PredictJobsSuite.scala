package org.apache.spark.sql.sightline

import java.nio.file.{Files, Path}
import java.time.Instant
import java.util.concurrent.atomic.AtomicInteger

import org.apache.spark.scheduler.{SparkListener, SparkListenerJobStart}
import org.scalatest.funsuite.AnyFunSuite

import sightline.TestFolder.withFolder
import sightline.cli.{ColourPredictions, CommandLine, Output, PredictCommand}

/** Waiting for the events of Spark's jobs is private to Spark's packages. */
final class PredictJobsSuite extends AnyFunSuite with ColourPredictions {

  private def jobsOf[A](use: => A): (Int, A) = {
    val (context, jobs) = (spark.sparkContext, new AtomicInteger)
    val listener = new SparkListener {
      override def onJobStart(event: SparkListenerJobStart): Unit = jobs.incrementAndGet(): Unit
    }
    context.addSparkListener(listener)
    val result = use
    context.listenerBus.waitUntilEmpty()
    context.removeSparkListener(listener)
    (jobs.get, result)
  }

  private def packed(folder: Path): String = {
    val out = s"$folder/packed.parquet"
    val done = run("pack-images", "--images", images(folder), "--output", out)
    assert(done.status == 0, done.err)
    out
  }

  test("predict runs one Spark job, for a folder and for a Parquet table of images") {
    withFolder { folder =>
      Seq(packed(folder), s"$folder/images").zipWithIndex.foreach { case (source, index) =>
        val out = Files.createDirectory(folder.resolve(s"$index"))
        val line = Seq("predict", "--images", source, "--model", model, "--output", s"$out/out")
        val (jobs, done) = jobsOf {
          Output.of(CommandLine.run(Seq(PredictCommand), line, Instant.now)((_, use) => use(spark)))
        }
        assert(done.status == 0, done.err)
        assert(done.out.startsWith("4 images: 3 predicted, 1 errors: 1 UNSUPPORTED"))
        assert(done.out.contains("True labels: 4 of 4 images"))
        assert(jobs == 1)
      }
    }
  }

  test("true labels of dropped images are not counted; unknown ones are listed") {
    withFolder { folder =>
      images(folder): Unit
      Files.move(folder.resolve("images/red"), folder.resolve("images/pink")): Unit
      val done = predict(folder, s"$folder/images", "--on-error", "drop")
      assert(done.status == 0, done.err)
      assert(done.out.contains("True labels: 1 of 3 images have one of the model's labels"))
      assert(done.err.contains("2 of 3 true labels are none of colour's: 'pink' (2)"))
    }
  }
}
