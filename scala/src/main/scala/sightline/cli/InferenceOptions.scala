package sightline.cli

import mainargs.{ParserForClass, arg}
import org.apache.spark.SparkConf

import sightline.model.Backend
import sightline.schedule.{ImageSettings, InferenceSettings, Interpreter, Preflight}
import sightline.{OptionValue, SightlineException}

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
    decoder: String = InferenceOptions.Images.decoder,
    @arg(doc = "auto (the task's GPU if it has one; default), cpu or cuda")
    device: String = InferenceOptions.Defaults.device,
    @arg(doc = "Images given to the model at once (default 32)")
    batchRows: Int = InferenceOptions.Defaults.batchRows,
    @arg(doc = "Folder of bundles, searched first")
    models: Option[String] = None,
    @arg(doc = "Let the model load Python code of its own (architecture package.module:function)")
    allowCode: mainargs.Flag = mainargs.Flag(),
    @arg(doc = "Larger files are TOO_LARGE (default 67108864)")
    maxImageBytes: Long = InferenceOptions.Images.maxBytes,
    @arg(doc = "Larger canvases are TOO_LARGE (default 100000000)")
    maxImagePixels: Long = InferenceOptions.Images.maxPixels,
) {

  /**
   * How to run the model, checked.
   *
   * @throws sightline.SightlineException UNKNOWN_BACKEND, UNKNOWN_PRECISION, UNKNOWN_DEVICE or
   *   INVALID_OPTION
   */
  def settings: InferenceSettings = InferenceSettings(
    backend = OptionValue
      .oneOf("UNKNOWN_BACKEND", "--backend", backend, InferenceOptions.backends(backend)),
    precision =
      OptionValue.oneOf("UNKNOWN_PRECISION", "--precision", precision, Backend.Precisions),
    device = OptionValue.oneOf("UNKNOWN_DEVICE", "--device", device, InferenceSettings.Devices),
    batchRows = OptionValue.atLeast("--batch-rows", batchRows, 1),
    allowCode = allowCode.value,
  )

  /**
   * How to read the images, checked.
   *
   * @throws sightline.SightlineException UNKNOWN_DECODER or INVALID_OPTION
   */
  def images: ImageSettings = ImageSettings(
    decoder = OptionValue.oneOf("UNKNOWN_DECODER", "--decoder", decoder, ImageSettings.Decoders),
    maxBytes = OptionValue.atLeast("--max-image-bytes", maxImageBytes, 1L),
    maxPixels = OptionValue.atLeast("--max-image-pixels", maxImagePixels, 1L),
  )
}

object InferenceOptions {

  /** Names of the known backends; the workers' interpreter is asked about one that is not built in. */
  private def backends(name: String): Seq[String] = {
    val known =
      try Preflight.backends(Interpreter.of(new SparkConf), name)
      // The name may be wrong as well, and a run with a right one reports this error.
      catch { case _: SightlineException => Backend.all }
    known.map(_.name)
  }

  private val Defaults = InferenceSettings()
  private val Images = ImageSettings()

  implicit val parser: ParserForClass[InferenceOptions] = ParserForClass[InferenceOptions]
}
