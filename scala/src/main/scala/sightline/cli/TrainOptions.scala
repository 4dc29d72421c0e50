package sightline.cli

import mainargs.{ParserForClass, arg}
import org.json4s.*
import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods

import scala.util.Try

import sightline.OptionValue

/** The options of `train` for the samples. The Python command has the same. */
@mainargs.main
final case class TrainSampleOptions(
    @arg(doc =
      "Shares of train, validation and test, drawn for each label (default 0.8/0.1/0.1); or folders: " +
        "the parts are the folders train, validation and test in the paths"
    )
    split: String = "0.8/0.1/0.1",
    @arg(doc =
      "For a table: the column whose equal values are in one part, such as the images of one patient"
    )
    groupColumn: Option[String] = None,
    @arg(doc = "Number of classes to expect; auto (default): what the labels give")
    classes: String = "auto",
    @arg(doc = "File with the labels in the order of the class ids (default: the sorted labels)")
    classNames: Option[String] = None,
    @arg(doc =
      "Maximum share of unreadable images, 0 to 1 (default 0.01); if more fail, nothing is trained"
    )
    maxErrorRate: Double = 0.01,
    @arg(doc = "Maximum bytes of a file; larger ones give the error TOO_LARGE (default 67108864)")
    maxImageBytes: Long = sightline.source.FolderScanOptions.MaxImageBytes,
)

object TrainSampleOptions {
  implicit val parser: ParserForClass[TrainSampleOptions] = ParserForClass[TrainSampleOptions]
}

/** The options of `train` for the network. */
@mainargs.main
final case class TrainNetworkOptions(
    @arg(doc = "A classifier of torchvision or timm, or package.module:function (default resnet50)")
    architecture: String = "resnet50",
    @arg(doc = "Keyword arguments of the architecture, as JSON")
    architectureArguments: String = "{}",
    @arg(doc =
      "Start weights: a .safetensors or .pth file, a name of torchvision's (default DEFAULT), or " +
        "none. The head is always new"
    )
    weights: String = "DEFAULT",
    @arg(doc = "Height and width of the network's input in pixels (default 224)")
    imageSize: Int = 224,
    @arg(doc = "Mean of each colour, 0 to 1, such as 0.5,0.5,0.5 (default: that of the weights)")
    mean: Option[String] = None,
    @arg(doc = "Standard deviation of each colour, 0 to 1 (default: that of the weights)")
    std: Option[String] = None,
    @arg(doc = "none (default), all-but-head, or N: the first N layers with weights keep them")
    freeze: String = "none",
) {

  /** The fields of `TrainSettings`. */
  def settings: JObject =
    ("architecture" -> architecture) ~
      ("arguments" -> arguments) ~
      ("weights" -> weights) ~
      ("image_size" -> OptionValue.atLeast("--image-size", imageSize, 1)) ~
      ("mean" -> mean.fold[JValue](JNull)(triple("--mean", _))) ~
      ("std" -> std.fold[JValue](JNull)(triple("--std", _))) ~
      ("freeze" -> freeze)

  private def arguments: JValue =
    Try(JsonMethods.parse(architectureArguments)).toOption
      .collect { case json: JObject =>
        json
      }
      .getOrElse {
        throw OptionValue.invalid(
          "--architecture-arguments",
          architectureArguments,
          """It must be a JSON object, such as {"dropout": 0.1}.""",
        )
      }

  private def triple(option: String, text: String): JValue = {
    val numbers =
      text.split(",", -1).toList.map(_.trim.toDoubleOption.filter(n => n >= 0 && n <= 1))
    val all = if (numbers.size == 1) List.fill(3)(numbers.head) else numbers
    if (all.size != 3 || all.exists(_.isEmpty)) {
      throw OptionValue.invalid(
        option,
        text,
        "It must be three numbers within 0 to 1 (divide by 255): 0.5,0.5,0.5.",
      )
    }
    JArray(all.flatten.map(org.json4s.JDouble(_)))
  }
}

object TrainNetworkOptions {
  implicit val parser: ParserForClass[TrainNetworkOptions] = ParserForClass[TrainNetworkOptions]
}

/** The options of `train` for the steps of the optimizer. */
@mainargs.main
final case class TrainStepOptions(
    @arg(doc = "Passes over the training part (default 10)")
    epochs: Int = 10,
    @arg(doc = "Images of one step of all workers together (default 64)")
    batchSize: Int = 64,
    @arg(doc = "Optimizer: adam (default), adamw or sgd")
    optimizer: String = "adam",
    @arg(doc = "Learning rate (default 0.001)")
    learningRate: Double = 1e-3,
    @arg(doc = "Weight decay (default 0)")
    weightDecay: Double = 0.0,
    @arg(doc = "Momentum of sgd (default 0.9)")
    momentum: Double = 0.9,
    @arg(doc = "Label smoothing of the cross-entropy (default 0)")
    labelSmoothing: Double = 0.0,
    @arg(doc =
      "Learning rate over the steps: constant (default), cosine (falls to 0), or step (is divided by " +
        "10 twice)"
    )
    scheduler: String = "constant",
    @arg(doc = "Epochs in which the learning rate rises (default 0)")
    warmupEpochs: Int = 0,
    @arg(doc =
      "Augmentation: none (default: the pixels of predict), flip (mirror at random), or crop (also " +
        "take a random part)"
    )
    augment: String = "none",
    @arg(doc = "Precision: fp32 (default), bf16 or fp16")
    precision: String = "fp32",
    @arg(doc =
      "The same seed, images and settings give the same model on one CPU worker (default 0)"
    )
    seed: Long = 0,
) {

  /** The fields of `TrainSettings`; Python checks the ranges of the other numbers. */
  def settings: JObject =
    ("epochs" -> OptionValue.atLeast("--epochs", epochs, 1)) ~
      ("batch_size" -> OptionValue.atLeast("--batch-size", batchSize, 1)) ~
      ("optimizer" -> known("OPTIMIZER", optimizer, "adam", "adamw", "sgd")) ~
      ("learning_rate" -> learningRate) ~
      ("weight_decay" -> weightDecay) ~
      ("momentum" -> momentum) ~
      ("label_smoothing" -> labelSmoothing) ~
      ("scheduler" -> known("SCHEDULER", scheduler, "constant", "cosine", "step")) ~
      ("warmup_epochs" -> OptionValue.atLeast("--warmup-epochs", warmupEpochs, 0)) ~
      ("augment" -> known("AUGMENT", augment, "none", "flip", "crop")) ~
      ("precision" -> known("PRECISION", precision, "fp32", "bf16", "fp16")) ~
      ("seed" -> OptionValue.atLeast("--seed", seed, 0L))

  private def known(name: String, value: String, values: String*): String =
    OptionValue.oneOf(s"UNKNOWN_$name", s"--${name.toLowerCase}", value, values)
}

object TrainStepOptions {
  implicit val parser: ParserForClass[TrainStepOptions] = ParserForClass[TrainStepOptions]
}

/** The options of `train` for the run and its files. */
@mainargs.main
final case class TrainRunOptions(
    @arg(doc = "Folder or URI of the run: samples, checkpoints, model, evaluation")
    output: String,
    @arg(doc = "Continue the run in --output with its settings")
    resume: mainargs.Flag = mainargs.Flag(),
    @arg(doc = "Replace the output if it exists")
    overwrite: mainargs.Flag = mainargs.Flag(),
    @arg(doc = "Folder or URI of the checkpoints (default: in --output)")
    checkpoints: Option[String] = None,
    @arg(doc = "Epochs between checkpoints (default 2)")
    checkpointEvery: Int = 2,
    @arg(doc = "Also a checkpoint after each N batches of an epoch (default 0: none)")
    checkpointBatches: Int = 0,
    @arg(doc = "Newest checkpoints to keep; the best is kept too (default 3)")
    keep: Int = 3,
    @arg(doc =
      "Folder on each node for copies of remote samples (default ~/.cache/sightline/samples)"
    )
    cache: String = "~/.cache/sightline/samples",
    @arg(doc = "Limit for those copies, in GB (default 50)")
    cacheGb: Double = 50.0,
    @arg(doc =
      "Workers that train one model together, each a task of Spark (default 1). All must run at the " +
        "same time"
    )
    workers: Int = 1,
    @arg(doc =
      "Threads of each worker (default: spark.task.cpus; in local mode the cores divided by --workers)"
    )
    threads: Option[Int] = None,
    @arg(doc = "Device: auto (default: the task's GPU if it has one, else the CPU), cpu or cuda")
    device: String = "auto",
    @arg(doc = "Name of the model (default: the name of --output)")
    name: Option[String] = None,
    @arg(doc =
      "Also create the model with this name in the models root, as CREATE OR REPLACE MODEL"
    )
    register: Option[String] = None,
    @arg(doc = "The models root (default: spark.sightline.models, $SIGHTLINE_MODELS)")
    models: Option[String] = None,
    @arg(doc =
      "YAML file with any of these options, such as epochs: 20; the command line overrides it"
    )
    config: Option[String] = None,
) {

  /** The fields of `TrainSettings`. */
  def settings: JObject =
    ("checkpoint_every" -> OptionValue.atLeast("--checkpoint-every", checkpointEvery, 1)) ~
      ("checkpoint_batches" -> OptionValue.atLeast("--checkpoint-batches", checkpointBatches, 0)) ~
      ("keep" -> OptionValue.atLeast("--keep", keep, 1))
}

object TrainRunOptions {
  implicit val parser: ParserForClass[TrainRunOptions] = ParserForClass[TrainRunOptions]
}
