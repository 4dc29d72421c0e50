package sightline.schedule

import sightline.source.FolderScanOptions

/**
 * How a model is run; every entry point has the same settings and the same defaults.
 *
 * @param backend `onnx`, `openvino` or `pytorch`
 * @param precision `fp32`, or `bf16` or `int8` where the model has been calibrated
 * @param device `auto`, `cpu` or `cuda`
 * @param batchRows rows that the model gets at once, at least 1
 * @param allowCode whether the model may load Python code of its own
 */
final case class InferenceSettings(
    backend: String = "onnx",
    precision: String = "fp32",
    device: String = "auto",
    batchRows: Int = 32,
    allowCode: Boolean = false,
)

object InferenceSettings {
  val Devices: Seq[String] = Seq("auto", "cpu", "cuda")
}

/**
 * How images are read.
 *
 * @param decoder of JPEGs: `pillow`, `turbo` (the same pixels, faster) or `scaled` (other pixels)
 * @param maxBytes larger files are TOO_LARGE
 * @param maxPixels images of more pixels are TOO_LARGE, by their header alone
 */
final case class ImageSettings(
    decoder: String = "pillow",
    maxBytes: Long = FolderScanOptions.MaxImageBytes,
    maxPixels: Long = 100L * 1000 * 1000,
)

object ImageSettings {
  val Decoders: Seq[String] = Seq("pillow", "turbo", "scaled")
}
