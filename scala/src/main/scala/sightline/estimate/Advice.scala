package sightline.estimate

import sightline.model.Manifest
import sightline.schedule.{BatchRows, Inference}

/**
 * A setting for the run.
 *
 * @param setting the option, or the name of what `predict` chooses itself
 * @param reason a clause
 */
final case class Advice(setting: String, value: String, reason: String)

object Advice {

  private val DefaultRows = 32

  /**
   * The advised settings.
   *
   * @param gpuShare the part of a GPU that a task of the sample had; 0: it had none
   * @param coresPerGpu the cores of an executor for each of its GPUs; None: unknown
   */
  def of(
      estimate: RunEstimate,
      inference: Inference,
      gpuShare: Double,
      coresPerGpu: Option[Int],
  ): Seq[Advice] = {
    val manifest = inference.bundle.manifest
    val onGpu = gpuShare > 0 || inference.settings.device == "cuda"
    val bottleneck = estimate.measured.bottleneck(onGpu)
    Seq(
      partitions(estimate),
      batchRows(inference, manifest, onGpu),
      gpus(estimate, onGpu, coresPerGpu),
      decoder(inference.images.decoder, bottleneck),
      precision(inference, manifest, bottleneck),
    )
  }

  private def partitions(estimate: RunEstimate): Advice = {
    val own = estimate.on(estimate.ownCores)
    val each = math.round(estimate.images.toDouble / own.partitions)
    Advice(
      "partitions",
      own.partitions.toString,
      s"about $each images for each; predict chooses them for ${estimate.measured.slots} tasks at a time",
    )
  }

  private def batchRows(inference: Inference, manifest: Manifest, onGpu: Boolean): Advice = {
    val backend = inference.settings.backend
    val option = "--batch-rows"
    (inference.settings.batchRows, manifest.batchRows.get(backend)) match {
      case (BatchRows.Fixed(rows), None) =>
        Advice(option, rows.toString, s"your value; none was measured for $backend")
      case (BatchRows.Fixed(rows), _) if onGpu =>
        Advice(option, rows.toString, "your value; models add measures on a CPU only")
      case (_, Some(rows)) if !onGpu =>
        Advice(option, "auto", s"$rows images, the least CPU time when the model was added")
      case (_, _) if onGpu => Advice(option, "auto", s"$DefaultRows images on a GPU")
      case _ =>
        Advice(option, "auto", s"$DefaultRows images, because none was measured for $backend")
    }
  }

  /** As many tasks as keep the GPU busy, while some of them read and decode. */
  private def gpus(estimate: RunEstimate, onGpu: Boolean, coresPerGpu: Option[Int]): Advice =
    if (!onGpu) Advice("--gpus-per-task", "0", "the sample ran on CPUs")
    else {
      val measured = estimate.measured
      val busy = math.min(1d, measured.modelSeconds / measured.imageSeconds)
      val wanted = math.max(1, math.ceil(1 / math.max(busy, 0.01)).toInt)
      val tasks =
        coresPerGpu.map(_ / estimate.taskCores).fold(wanted)(most => wanted.min(most)).max(1)
      val share = math.floor(100d / tasks) / 100
      Advice(
        "--gpus-per-task",
        if (share == 1) "1" else share.toString,
        f"$tasks tasks on a GPU, because the model takes ${100 * busy}%.0f %% of a task's time",
      )
    }

  private def decoder(decoder: String, bottleneck: String): Advice =
    if (decoder == "exact" && bottleneck == "decode") {
      Advice("--decoder", "fast", "decoding limits the speed, and fast decodes large JPEGs smaller")
    } else if (decoder == "exact") {
      Advice("--decoder", "exact", "your value; decoding does not limit the speed")
    } else Advice("--decoder", "fast", "exact decodes every pixel of large JPEGs")

  private def precision(inference: Inference, manifest: Manifest, bottleneck: String): Advice = {
    val (backend, current) = (inference.settings.backend, inference.settings.precision)
    val others =
      manifest.calibrated.filter(one => !one.isReference && one.precision != current)
    val option = "--precision"
    if (bottleneck != "model") {
      Advice(option, current, "the model does not limit the speed")
    } else if (current != "fp32") {
      Advice(option, current, "your value, for which the model is calibrated")
    } else
      others.find(_.backend == backend).orElse(others.headOption) match {
        case Some(mode) =>
          val more = if (mode.backend == backend) "" else s" with --backend ${mode.backend}"
          Advice(
            option,
            s"${mode.precision}$more",
            "the model limits the speed and is calibrated for it; measure it by plan with this option",
          )
        case None =>
          Advice(
            option,
            current,
            "the model is not calibrated for another; `sightline models calibrate` measures them",
          )
      }
  }
}
