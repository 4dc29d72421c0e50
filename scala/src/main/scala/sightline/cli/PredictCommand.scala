package sightline.cli

import mainargs.{ParserForClass, arg, main}

import sightline.report.OutputFormat
import sightline.schedule.InferenceSettings

/** `predict`: images → predictions. */
object PredictCommand extends Command {

  @main
  final case class Options(
      images: ImageOptions,
      @arg(doc = "Model: a name (id_fraud), or the path of a bundle's folder or zip")
      model: String,
      @arg(doc = "Folder to write; it appears when complete")
      output: String,
      @arg(doc = "A table's binary column of the images themselves (default: content, if binary)")
      contentColumn: Option[String] = None,
      @arg(doc = "How many labels each prediction lists (default 5)")
      topK: Int = InferenceSettings().topK,
      @arg(doc = "parquet (default), csv or json")
      format: String = OutputFormat.Parquet.name,
      @arg(doc = "Replace an existing output")
      overwrite: mainargs.Flag = mainargs.Flag(),
      @arg(doc = "Images that fail: permissive (error rows; default), drop, or fail (stop the run)")
      onError: String = OnError.Permissive.name,
      @arg(doc = "Publish nothing if more than this share of the images fails, 0 to 1")
      maxErrorRate: Option[Double] = None,
      inference: InferenceOptions,
  )

  private val parser = ParserForClass[Options]

  override val name: String = "predict"
  override val summary: String =
    "run a model over images and write a prediction or an error for each"
  override val example: String = "--images photos/ --model id_fraud --output predictions/"
  override def options: String = Command.options(parser)

  override def prepare(arguments: Seq[String]): Invocation => Unit = {
    val options = Command.parse(parser, this, arguments)
    val settings =
      options.inference.settings.copy(topK = Command.atLeast("--top-k", options.topK, 1))
    val prediction = Prediction(
      images = options.images.request(options.contentColumn, settings.maxImageBytes),
      model = Command.nonEmpty("--model", options.model),
      modelsRoot = options.inference.models,
      settings = settings,
      output = Command.nonEmpty("--output", options.output),
      overwrite = options.overwrite.value,
      format = OutputFormat.parse(options.format),
      onError = OnError.parse(options.onError),
      maxErrorRate = options.maxErrorRate.map(Command.share("--max-error-rate", _)),
    )
    prediction.run
  }
}
