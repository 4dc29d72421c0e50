package sightline.cli

import mainargs.{ParserForClass, arg}

import sightline.OptionValue
import sightline.model.Backend
import sightline.schedule.InferenceSettings

/** The options of every command that runs a model. */
@mainargs.main
final case class InferenceOptions(
    @arg(doc = "Runtime: onnx (default), openvino or pytorch")
    backend: String = InferenceOptions.Defaults.backend,
    @arg(doc = "fp32 (default); bf16 or int8 where the model has been calibrated")
    precision: String = InferenceOptions.Defaults.precision,
    @arg(doc =
      "Of JPEGs: pillow (default), turbo (the same pixels sooner) or scaled (other pixels)"
    )
    decoder: String = InferenceOptions.Defaults.decoder,
    @arg(doc = "auto (the task's GPU if it has one; default), cpu or cuda")
    device: String = InferenceOptions.Defaults.device,
    @arg(doc = "Images given to the model at once (default 32)")
    batchRows: Int = InferenceOptions.Defaults.batchRows,
    @arg(doc = "Folder of bundles, searched first")
    models: Option[String] = None,
    @arg(doc = "Let the model load Python code of its own (architecture package.module:function)")
    allowCode: mainargs.Flag = mainargs.Flag(),
    @arg(doc = "Larger files are TOO_LARGE (default 67108864)")
    maxImageBytes: Long = InferenceOptions.Defaults.maxImageBytes,
    @arg(doc = "Larger canvases are TOO_LARGE (default 100000000)")
    maxImagePixels: Long = InferenceOptions.Defaults.maxImagePixels,
) {

  /**
   * The settings, checked.
   *
   * @throws sightline.SightlineException UNKNOWN_BACKEND, UNKNOWN_PRECISION, UNKNOWN_DECODER,
   *   UNKNOWN_DEVICE or INVALID_OPTION
   */
  def settings: InferenceSettings = InferenceSettings(
    backend = OptionValue.oneOf("UNKNOWN_BACKEND", "--backend", backend, Backend.all.map(_.name)),
    precision =
      OptionValue.oneOf("UNKNOWN_PRECISION", "--precision", precision, Backend.Precisions),
    decoder =
      OptionValue.oneOf("UNKNOWN_DECODER", "--decoder", decoder, InferenceSettings.Decoders),
    device = OptionValue.oneOf("UNKNOWN_DEVICE", "--device", device, InferenceSettings.Devices),
    batchRows = OptionValue.atLeast("--batch-rows", batchRows, 1),
    maxImageBytes = OptionValue.atLeast("--max-image-bytes", maxImageBytes, 1L),
    maxImagePixels = OptionValue.atLeast("--max-image-pixels", maxImagePixels, 1L),
    allowCode = allowCode.value,
  )
}

object InferenceOptions {

  private val Defaults = InferenceSettings()

  implicit val parser: ParserForClass[InferenceOptions] = ParserForClass[InferenceOptions]
}
