package sightline.cli

import scala.util.Try

import mainargs.{ParserForClass, arg}
import org.json4s.*
import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods

import sightline.OptionValue

/** The options of `train` for the network. */
@mainargs.main
final case class TrainNetworkOptions(
    @arg(doc = "A classifier of torchvision or timm, or package.module:function (default resnet50)")
    architecture: String = "resnet50",
    @arg(doc = "Keyword arguments of the architecture, as JSON")
    architectureArguments: String = "{}",
    @arg(doc =
      "Start weights: a .safetensors or .pth file, a run or checkpoint of train on the driver, a " +
        "name of torchvision's (default DEFAULT), or none. The head is always new"
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
    @arg(doc =
      "update (default) the statistics of batch normalisation, or keep those of the start weights"
    )
    batchNorm: String = "update",
) {

  /** The fields of `TrainSettings`. */
  def settings: JObject =
    ("architecture" -> architecture) ~
      ("arguments" -> arguments) ~
      ("weights" -> weights) ~
      ("image_size" -> OptionValue.atLeast("--image-size", imageSize, 1)) ~
      ("mean" -> mean.fold[JValue](JNull)(triple("--mean", _))) ~
      ("std" -> std.fold[JValue](JNull)(triple("--std", _))) ~
      ("freeze" -> freeze) ~
      ("batch_norm" -> OptionValue
        .oneOf("UNKNOWN_BATCH_NORM", "--batch-norm", batchNorm, Seq("update", "keep")))

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
    JArray(all.flatten.map(JDouble(_)))
  }
}

object TrainNetworkOptions {
  implicit val parser: ParserForClass[TrainNetworkOptions] = ParserForClass[TrainNetworkOptions]
}
