package sightline.cli

import mainargs.{ParserForClass, arg}
import org.apache.spark.SparkConf

import sightline.model.Backend
import sightline.schedule.{
  BatchRows,
  ImageSettings,
  InferenceSettings,
  Interpreter,
  Preflight,
  TaskResources,
}
import sightline.{OptionValue, SightlineException}

/** The options of every command that runs a model. */
@mainargs.main
final case class InferenceOptions(
    @arg(doc = "Backend: onnx (default), openvino or pytorch")
    backend: String = InferenceOptions.Defaults.backend,
    @arg(doc = "Precision: fp32 (default), or bf16 or int8 if the model is calibrated for it")
    precision: String = InferenceOptions.Defaults.precision,
    @arg(doc = "Decoder: fast (default), or exact: decode and resize whole images like torchvision")
    decoder: String = InferenceOptions.Images.decoder,
    @arg(doc = "Device: auto (default: the task's GPU if it has one, else the CPU), cpu or cuda")
    device: String = InferenceOptions.Defaults.device,
    @arg(doc =
      "Number of images in one batch of the model; auto (default): the number that models add " +
        "measured for the backend on a CPU. If none was measured, and on a GPU, it is 32"
    )
    batchRows: String = InferenceOptions.Defaults.batchRows.toString,
    @arg(doc =
      "Part of a GPU that each task of the model takes, 0 to 1: with 0.25 four tasks share a GPU. " +
        "0 (default): that of the application (spark.task.resource.gpu.amount)"
    )
    gpusPerTask: Double = InferenceOptions.Defaults.resources.gpus,
    @arg(doc =
      "Cores that each task of the model takes; 0 (default): those of the application " +
        "(spark.task.cpus)"
    )
    cpusPerTask: Int = InferenceOptions.Defaults.resources.cpus,
    @arg(doc = "Folder of bundles that is searched first")
    models: Option[String] = None,
    @arg(doc = "Allow the model to load its own Python code (architecture package.module:function)")
    allowCode: mainargs.Flag = mainargs.Flag(),
    @arg(doc = "Maximum bytes of a file; larger ones give the error TOO_LARGE (default 67108864)")
    maxImageBytes: Long = InferenceOptions.Images.maxBytes,
    @arg(doc =
      "Maximum pixels of an image; larger ones give the error TOO_LARGE (default 100000000)"
    )
    maxImagePixels: Long = InferenceOptions.Images.maxPixels,
) {

  /**
   * The settings for running the model, checked.
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
    batchRows = BatchRows.parse("--batch-rows", batchRows),
    allowCode = allowCode.value,
    resources = TaskResources(
      TaskResources.gpus("--gpus-per-task", gpusPerTask),
      OptionValue.atLeast("--cpus-per-task", cpusPerTask, 0),
    ),
  )

  /**
   * The settings for reading the images, checked.
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

  /** The known backends. The driver's interpreter is started only to list one that is not built in. */
  private def backends(name: String): Seq[String] = {
    val known =
      try Preflight.backends(Interpreter.ofDriver(new SparkConf), name)
      // The name may be wrong; a run with a correct name reports the interpreter's error.
      catch { case _: SightlineException => Backend.all }
    known.map(_.name)
  }

  private val Defaults = InferenceSettings()
  private val Images = ImageSettings()

  implicit val parser: ParserForClass[InferenceOptions] = ParserForClass[InferenceOptions]
}
