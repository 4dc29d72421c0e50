package sightline.schedule

import sightline.source.FolderScanOptions

/**
 * How a model is to be run; every entry point has the same settings and the same defaults.
 *
 * @param backend `onnx`, `openvino` or `pytorch`
 * @param precision `fp32`, or `bf16` or `int8` where the model has been calibrated
 * @param decoder of JPEGs: `pillow`, `turbo` (the same pixels sooner) or `scaled` (other pixels)
 * @param device `auto`, `cpu` or `cuda`
 * @param batchRows images the model is given at once, at least 1
 * @param topK how many labels a prediction lists, at least 1
 * @param maxImageBytes larger files are TOO_LARGE
 * @param maxImagePixels larger canvases are TOO_LARGE, by their header alone
 * @param allowCode whether the model may load Python code of its own
 */
final case class InferenceSettings(
    backend: String = "onnx",
    precision: String = "fp32",
    decoder: String = "pillow",
    device: String = "auto",
    batchRows: Int = 32,
    topK: Int = 5,
    maxImageBytes: Long = FolderScanOptions.MaxImageBytes,
    maxImagePixels: Long = 100L * 1000 * 1000,
    allowCode: Boolean = false,
)

object InferenceSettings {
  val Decoders: Seq[String] = Seq("pillow", "turbo", "scaled")
  val Devices: Seq[String] = Seq("auto", "cpu", "cuda")
}
