package sightline.cli

import mainargs.{ParserForClass, arg, main}

import sightline.OptionValue
import sightline.model.ResultType
import sightline.report.OutputFormat

/** `predict`: images → predictions. */
object PredictCommand extends Command {

  @main
  final case class Options(
      run: ImageRunOptions,
      @arg(doc = "Number of labels in each prediction (default 5)")
      topK: Int = ResultType.DefaultTopK,
      @arg(doc = "Output format: parquet (default), csv or json")
      format: String = OutputFormat.Parquet.name,
  )

  private val parser = ParserForClass[Options]

  override val name: String = ImageResult.Prediction.command
  override val summary: String =
    "run a model over images and write a prediction or an error for each"
  override val example: String = "--images photos/ --model id_fraud --output predictions/"
  override def options: String = Command.options(parser)

  override def prepare(arguments: Seq[String]): Invocation => Unit = {
    val options = Command.parse(parser, this, arguments)
    val topK = OptionValue.atLeast("--top-k", options.topK, 1)
    options.run.cloud(this)(
      options.run.run(ImageResult.Prediction, OutputFormat.parse(options.format), topK).run
    )
  }
}
