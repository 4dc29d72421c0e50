package sightline.cli

import mainargs.{ParserForClass, arg, main}

import sightline.report.OutputFormat
import sightline.schedule.Inference
import sightline.source.{FolderLabels, ImageRequest, ImageScanOptions, TableColumns}

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
      @arg(doc = "Runtime: onnx (default) or pytorch")
      backend: String = "onnx",
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
      topK: Int = Inference.TopK,
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
      @arg(doc = "auto (the task's GPU if it has one; default), cpu or cuda")
      device: String = "auto",
      @arg(doc = "Images given to the model at once (default 32)")
      batchRows: Int = Inference.BatchRows,
      @arg(doc = "Folder of bundles, searched first")
      models: Option[String] = None,
      @arg(doc = "Let the model load Python code of its own (architecture package.module:function)")
      allowCode: mainargs.Flag = mainargs.Flag(),
      @arg(doc = "Larger files are TOO_LARGE (default 67108864)")
      maxImageBytes: Long = ImageScanOptions.MaxImageBytes,
      @arg(doc = "Larger canvases are TOO_LARGE (default 100000000)")
      maxImagePixels: Long = Inference.MaxImagePixels,
  )

  private val parser = ParserForClass[Options]

  override val name: String = "predict"
  override val summary: String =
    "run a model over images and write a prediction or an error for each"
  override val example: String = "--images photos/ --model id_fraud --output predictions/"
  override def options: String = Command.options(parser)

  override def prepare(arguments: Seq[String]): Invocation => Unit = {
    val options = Command.parse(parser, this, arguments)
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
        maxImageBytes = Command.atLeast("--max-image-bytes", options.maxImageBytes, 1L),
      ),
      model = Command.nonEmpty("--model", options.model),
      modelsRoot = options.models,
      backend =
        Command.oneOf("--backend", options.backend, Seq("onnx", "pytorch"), "UNKNOWN_BACKEND"),
      device =
        Command.oneOf("--device", options.device, Seq("auto", "cpu", "cuda"), "UNKNOWN_DEVICE"),
      topK = Command.atLeast("--top-k", options.topK, 1),
      batchRows = Command.atLeast("--batch-rows", options.batchRows, 1),
      maxImagePixels = Command.atLeast("--max-image-pixels", options.maxImagePixels, 1L),
      output = Command.nonEmpty("--output", options.output),
      overwrite = options.overwrite.value,
      format = OutputFormat.parse(options.format),
      onError = OnError.parse(options.onError),
      allowCode = options.allowCode.value,
      maxErrorRate = options.maxErrorRate.map(Command.share("--max-error-rate", _)),
    )
    prediction.run
  }
}
