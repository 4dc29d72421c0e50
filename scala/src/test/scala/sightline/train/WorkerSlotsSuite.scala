package sightline.train

import org.json4s.jackson.JsonMethods
import org.scalatest.funsuite.AnyFunSuite

import sightline.{LocalSpark, SightlineException}

/** The places of the workers in a session with two slots, and the lines of their progress. */
final class WorkerSlotsSuite extends AnyFunSuite with LocalSpark {

  test("more workers than slots are refused, with the setting that helps") {
    WorkerSlots.require(spark.sparkContext, 2)
    val error = intercept[SightlineException](WorkerSlots.require(spark.sparkContext, 3))
    assert(
      error.getMessage == "MISSING_SLOTS: --workers is 3, and Spark can run only 2 tasks at the " +
        "same time (spark.task.cpus is 1). Give fewer workers, or more cores: --master local[N]."
    )
  }

  test("fp16 is refused where the workers are on the CPU") {
    val context = spark.sparkContext
    Seq("auto", "cpu").foreach { device =>
      val error =
        intercept[SightlineException](WorkerSlots.requirePrecision(context, "fp16", device))
      assert(
        error.getMessage.startsWith("UNSUPPORTED_PRECISION: --precision fp16 trains on a CUDA")
      )
      WorkerSlots.requirePrecision(context, "bf16", device)
    }
    WorkerSlots.requirePrecision(context, "fp16", "cuda")
  }

  test("in local mode the workers divide the cores") {
    assert(Seq(1, 2).map(WorkerSlots.threads(spark.sparkContext, _)) == Seq(2, 1))
  }

  test("the lines are those of the Python command") {
    val progress = """{"epoch": 2, "epochs": 10, "batch": 3, "batches": 4, "loss": 0.5,
      "images_per_second": 99.96, "wait_share": 0.014, "seconds_left": 125.4}"""
    assert(
      TrainProgress.progressLine(JsonMethods.parse(progress)) ==
        "epoch 2/10, batch 3/4: loss 0.5000, 100.0 images/s, data wait 1.4 %, 2:05 left"
    )
    val record = """{"epoch": 2, "loss": 0.5, "validation_loss": 0.25, "validation_top1": 0.875,
      "samples": 48, "images_per_second": 10, "wait_share": 0.0}"""
    assert(
      TrainProgress.recordLine(JsonMethods.parse(record)) ==
        "epoch 2: loss 0.5000, validation loss 0.2500, top-1 87.5 %, 48 images, 10.0 images/s, " +
        "data wait 0.0 %"
    )
  }
}
