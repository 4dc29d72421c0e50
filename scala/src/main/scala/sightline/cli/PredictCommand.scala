package sightline.cli

import mainargs.{ParserForClass, arg, main}

import sightline.report.OutputFormat
import sightline.schedule.InferenceSettings
import sightline.source.{FolderLabels, ImageRequest, TableColumns}

/** `predict`: images → predictions. */
object PredictCommand extends Command {

  @main
  final case class Options(
      @arg(doc = "Folder (recursive), glob, or .csv/.parquet table of paths or of images; any URI")
      images: String,
      @arg(doc = "Model: a name (id_fraud), or the path of a bundle's folder or zip")
      model: String,
      @arg(doc = "Folder to write; it appears when complete")
      output: String,
      @arg(doc =
        "True labels of a folder's images: auto (subfolders' names; default), folder, none"
      )
      labels: String = FolderLabels.Auto.name,
      @arg(doc = "A table's column of paths (default: path, image_path or file)")
      pathColumn: Option[String] = None,
      @arg(doc = "A table's column of labels (default: label, actual_class or class)")
      labelColumn: Option[String] = None,
      @arg(doc = "A table's column of class ids (default: class_id or actual_class_id)")
      labelIdColumn: Option[String] = None,
      @arg(doc = "A table's binary column of the images themselves (default: content, if binary)")
      contentColumn: Option[String] = None,
      @arg(doc = "Where a table's relative paths start (default: the table's folder)")
      root: Option[String] = None,
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
      @arg(doc = "At most so many images")
      limit: Option[Int] = None,
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
      images = ImageRequest(
        images = Command.nonEmpty("--images", options.images),
        labels = FolderLabels.parse(options.labels),
        table = TableColumns(
          options.pathColumn,
          options.labelColumn,
          options.labelIdColumn,
          options.root,
          options.contentColumn,
        ),
        limit = options.limit.map(Command.atLeast("--limit", _, 1)),
        maxImageBytes = settings.maxImageBytes,
      ),
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
