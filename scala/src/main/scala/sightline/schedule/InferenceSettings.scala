package sightline.schedule

import sightline.source.FolderScanOptions

/**
 * Settings for running a model. Every entry point has the same settings and the same defaults.
 *
 * @param backend `onnx`, `openvino`, `pytorch`, or a backend of an installed package
 * @param precision `fp32`, or `bf16` or `int8` if the model is calibrated for it
 * @param device one of [[InferenceSettings.Devices]]; `auto` is the task's GPU if it has one, else the
 *   CPU
 * @param batchRows the number of rows in one batch of the model
 * @param casts one of [[InferenceSettings.Casts]]: whether numbers that the model's type cannot
 *   represent are errors, or are cut to it
 * @param allowCode whether the model may load Python code of its own
 * @param resources what a task that runs the model takes from an executor
 */
final case class InferenceSettings(
    backend: String = "onnx",
    precision: String = "fp32",
    device: String = "auto",
    batchRows: BatchRows = BatchRows.Auto,
    casts: String = InferenceSettings.Exact,
    allowCode: Boolean = false,
    resources: TaskResources = TaskResources(),
)

object InferenceSettings {

  /** The values of `device`. */
  val Devices: Seq[String] = Seq("auto", "cpu", "cuda")

  /** Only numbers that a tensor's type represents are converted to it; floats are rounded. */
  val Exact = "exact"

  /** Fractions are cut, and numbers out of range become the nearest limit of the tensor's type. */
  val Lossy = "lossy"

  /** The values of `casts`. */
  val Casts: Seq[String] = Seq(Exact, Lossy)
}

/**
 * Settings for reading images.
 *
 * @param decoder `fast` (decodes a large JPEG at a fraction of its size and resizes only the part that the
 *   model sees) or `exact` (decodes and resizes the whole image, like torchvision)
 * @param maxBytes the maximum size of a file in bytes; a larger file gives the error TOO_LARGE
 * @param maxPixels the maximum number of pixels, width times height in the header; a larger image gives
 *   the error TOO_LARGE and is not decoded
 */
final case class ImageSettings(
    decoder: String = "fast",
    maxBytes: Long = FolderScanOptions.MaxImageBytes,
    maxPixels: Long = 100L * 1000 * 1000,
)

object ImageSettings {

  /** The values of `decoder`. */
  val Decoders: Seq[String] = Seq("fast", "exact")
}
