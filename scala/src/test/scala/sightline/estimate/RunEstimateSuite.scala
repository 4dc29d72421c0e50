package sightline.estimate

import org.scalatest.funsuite.AnyFunSuite

import sightline.ColourBundle
import sightline.model.CalibratedMode
import sightline.schedule.{BatchRows, ImageSettings, Inference, InferenceSettings}

/** The arithmetic of an estimate, and the advised settings, for given costs. */
final class RunEstimateSuite extends AnyFunSuite {

  /** Two tasks at a time, each of which takes 10 ms for an image: 8 ms for the model. */
  private val measured = Measured(
    images = 200,
    errors = Map.empty,
    slots = 2,
    cpu = PartCosts(read = 0.0005, transfer = 0.0005, decode = 0.001, model = 0.008),
    readSeconds = 0.0006,
    imageSeconds = 0.010,
    modelSeconds = 0.008,
    taskSeconds = 0.1,
    firstSeconds = 4,
  )

  private def estimate(measured: Measured, images: Long = 10000): RunEstimate =
    RunEstimate(images, bytes = images * 20000, measured, startSeconds = 10, taskCores = 1)

  test("the time is the fixed time, that of each task, and that of each image") {
    val run = estimate(measured).on(2)
    // 8 tasks on two slots are 4 one after the other.
    assert(run.partitions == 8)
    assert(run.inferSeconds == 4 + 4 * 0.1 + 10000 * 0.010 / 2)
    assert(run.seconds == 10 + run.inferSeconds)
    assert(run.imagesPerSecond == 10000 / run.inferSeconds)
  }

  test("more cores divide the time of the images, but not the fixed time") {
    val run = estimate(measured).on(32)
    assert(run.partitions == 128)
    assert(run.inferSeconds == 4 + 4 * 0.1 + 10000 * 0.010 / 32)
    assert(estimate(measured, images = 100).on(128).inferSeconds == 4 + 0.1 + 100 * 0.010 / 100)
  }

  test("tasks of two cores run on half as many slots") {
    val run = estimate(measured).copy(taskCores = 2).on(8)
    assert(run.inferSeconds == 4 + 4 * 0.1 + 10000 * 0.010 / 4)
    assert(estimate(measured).copy(taskCores = 2).ownCores == 4)
  }

  test("a node is paid for from the start to the end, and a part of a node is a node") {
    val hour =
      RunTime(cores = 17, partitions = 1, inferSeconds = 1, seconds = 7200, imagesPerSecond = 1)
    assert(NodePrice(perHour = 0.5, nodeCores = 8).of(hour) == 3 * 2 * 0.5)
  }

  test("the expected number of errors has the rate of the sample") {
    val failing = estimate(measured.copy(errors = Map("CORRUPT" -> 3L, "EMPTY" -> 1L)))
    assert(failing.errorRate == 0.02)
    assert(failing.errors == 200)
  }

  test("the bottleneck is the part with the most CPU time, or reading if tasks wait for it") {
    assert(measured.bottleneck(onGpu = false) == "model")
    val decoding = measured.copy(cpu = measured.cpu.copy(decode = 0.009))
    assert(decoding.bottleneck(onGpu = false) == "decode")
    assert(measured.copy(readSeconds = 0.006).bottleneck(onGpu = false) == "read")
    // A model on a GPU needs time, but nearly no CPU time.
    val onGpu = decoding.copy(cpu = decoding.cpu.copy(model = 0.0001), modelSeconds = 0.02)
    assert(onGpu.bottleneck(onGpu = true) == "model")
    assert(onGpu.bottleneck(onGpu = false) == "decode")
  }

  test("the report says so if tasks waited for much of their time") {
    def text(measured: Measured): String = EstimateReport(
      estimate(measured),
      start = Seq("startup" -> 10),
      bottleneck = "model",
      advice = Seq(Advice("--decoder", "fast", "a reason")),
      executors = 1,
      cores = Seq(2),
      price = None,
    ).text
    assert(
      text(measured).contains("All images: 100 CPU-s.\nFixed: startup 10.0, first batches 4.0 s")
    )
    assert(
      text(measured.copy(imageSeconds = 0.04))
        .contains("100 CPU-s.\nTasks waited for 75 % of their")
    )
  }

  private def advice(
      settings: InferenceSettings = InferenceSettings(),
      images: ImageSettings = ImageSettings(),
      measured: Measured = measured,
      gpuShare: Double = 0,
      batchRows: Map[String, Int] = Map("onnx" -> 4),
      calibrated: Seq[CalibratedMode] = Nil,
  ): Map[String, String] = {
    val bundle = ColourBundle.bundle
    val manifest = bundle.manifest.copy(batchRows = batchRows, calibrated = calibrated)
    val inference = Inference(bundle.copy(manifest = manifest), settings, images)
    Advice
      .of(estimate(measured), inference, gpuShare, coresPerGpu = Some(8))
      .map(one => one.setting -> s"${one.value}: ${one.reason}")
      .toMap
  }

  test("the advised batch size is the measured one of the bundle, on a CPU") {
    def rows(all: Map[String, String]): String = all("--batch-rows")
    assert(rows(advice()) == "auto: 4 images, the least CPU time when the model was added")
    assert(rows(advice(InferenceSettings(batchRows = BatchRows.Fixed(64)))).startsWith("auto: 4 "))
    assert(rows(advice(batchRows = Map.empty)).startsWith("auto: 32 images, because none was"))
    assert(rows(advice(gpuShare = 1)) == "auto: 32 images on a GPU")
    assert(
      rows(advice(InferenceSettings(batchRows = BatchRows.Fixed(64)), batchRows = Map.empty)) ==
        "64: your value; none was measured for onnx"
    )
  }

  test("as many tasks share a GPU as keep it busy, at most one for each core") {
    assert(advice()("--gpus-per-task") == "0: the sample ran on CPUs")
    // A task of 10 ms for an image uses the GPU for 3 ms of them.
    assert(
      advice(measured = measured.copy(modelSeconds = 0.003), gpuShare = 1)("--gpus-per-task") ==
        "0.25: 4 tasks on a GPU, because the model takes 30 % of a task's time"
    )
    val mostlyWaiting = measured.copy(modelSeconds = 0.0005)
    assert(
      advice(measured = mostlyWaiting, gpuShare = 1)("--gpus-per-task").startsWith("0.12: 8 tasks")
    )
  }

  test("the fast decoder is advised if exact decoding limits the speed") {
    val decoding = measured.copy(cpu = measured.cpu.copy(decode = 0.02))
    val exact = ImageSettings(decoder = "exact")
    assert(advice(images = exact, measured = decoding)("--decoder").startsWith("fast: decoding"))
    assert(advice(images = exact)("--decoder").startsWith("exact: your value"))
  }

  test("a reduced precision is advised if the model limits the speed and is calibrated for it") {
    def precision(all: Map[String, String]): String = all("--precision")
    val onnx = CalibratedMode("onnx", "int8")
    val openvino = CalibratedMode("openvino", "bf16")
    assert(precision(advice()).startsWith("fp32: the model is not calibrated"))
    assert(precision(advice(calibrated = Seq(openvino, onnx))).startsWith("int8: the model limits"))
    assert(
      precision(advice(calibrated = Seq(openvino))).startsWith("bf16 with --backend openvino: ")
    )
    val decoding = measured.copy(cpu = measured.cpu.copy(decode = 0.02))
    assert(
      precision(advice(measured = decoding, calibrated = Seq(onnx))) ==
        "fp32: the model does not limit the speed"
    )
  }
}
