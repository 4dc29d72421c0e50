package sightline.cli

import mainargs.{ParserForClass, main}

import sightline.model.ResultType
import sightline.report.OutputFormat

/** `features`: images → feature vectors. */
object FeaturesCommand extends Command {

  @main
  final case class Options(run: ImageRunOptions)

  private val parser = ParserForClass[Options]

  override val name: String = ImageResult.Features.command
  override val summary: String =
    "run a model over images and write its features or an error for each"
  override val example: String = "--images fruits/ --model mobilenet_v2 --output features/"
  override def options: String = Command.options(parser)

  override def prepare(arguments: Seq[String]): Invocation => Unit = {
    val options = Command.parse(parser, this, arguments)
    options.run.cloud(this)(
      options.run.run(ImageResult.Features, OutputFormat.Parquet, ResultType.DefaultTopK).run
    )
  }
}
