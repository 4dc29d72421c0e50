package sightline.cli

import mainargs.{ParserForClass, arg}
import org.json4s.JObject
import org.json4s.JsonDSL.*

import sightline.OptionValue

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
      ("optimizer" -> known(
        "UNKNOWN_OPTIMIZER",
        "--optimizer",
        optimizer,
        "adam",
        "adamw",
        "sgd",
      )) ~
      ("learning_rate" -> learningRate) ~
      ("weight_decay" -> weightDecay) ~
      ("momentum" -> momentum) ~
      ("label_smoothing" -> labelSmoothing) ~
      ("scheduler" -> known(
        "UNKNOWN_SCHEDULER",
        "--scheduler",
        scheduler,
        "constant",
        "cosine",
        "step",
      )) ~
      ("warmup_epochs" -> OptionValue.atLeast("--warmup-epochs", warmupEpochs, 0)) ~
      ("augment" -> known("UNKNOWN_AUGMENT", "--augment", augment, "none", "flip", "crop")) ~
      ("precision" -> known(
        "UNKNOWN_PRECISION",
        "--precision",
        precision,
        "fp32",
        "bf16",
        "fp16",
      )) ~
      ("seed" -> OptionValue.atLeast("--seed", seed, 0L))

  private def known(condition: String, option: String, value: String, values: String*): String =
    OptionValue.oneOf(condition, option, value, values)
}

object TrainStepOptions {
  implicit val parser: ParserForClass[TrainStepOptions] = ParserForClass[TrainStepOptions]
}
