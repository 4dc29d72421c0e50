package sightline.cli

import mainargs.{ParserForClass, arg}

import sightline.plan.CallOptions
import sightline.report.OutputFormat

/** The options of every command that runs a model on images and writes the results. */
@mainargs.main
final case class ImageRunOptions(
    images: ImageOptions,
    @arg(doc = "Model: a name such as id_fraud, or the path of a bundle's folder or zip")
    model: String,
    @arg(doc = "Output folder; it appears when the run is complete")
    output: String,
    @arg(doc = "Replace the output if it exists")
    overwrite: mainargs.Flag = mainargs.Flag(),
    @arg(doc =
      "Failed images: permissive (default: write error rows), drop, or fail (stop the run)"
    )
    onError: String = OnError.Default.name,
    @arg(doc = "Maximum share of failed images, 0 to 1; if more fail, the run publishes nothing")
    maxErrorRate: Option[Double] = None,
    inference: InferenceOptions,
    cloud: CloudOptions,
) {

  /**
   * The run, with checked options.
   *
   * @param topK the number of labels in a prediction, at least 1
   * @throws sightline.SightlineException UNKNOWN_BACKEND and other errors of options
   */
  def run(result: ImageResult, format: OutputFormat, topK: Int): ImageRun = {
    val settings = inference.settings
    val reading = inference.images
    ImageRun(
      result = result,
      images = images.request(reading.maxBytes),
      model = Command.nonEmpty("--model", model),
      modelsRoot = inference.models,
      call = CallOptions(settings, reading, topK),
      output = Command.nonEmpty("--output", output),
      overwrite = overwrite.value,
      format = format,
      onError = OnError.parse(onError),
      maxErrorRate = maxErrorRate.map(Command.share("--max-error-rate", _)),
    )
  }
}

object ImageRunOptions {
  implicit val parser: ParserForClass[ImageRunOptions] = ParserForClass[ImageRunOptions]
}
