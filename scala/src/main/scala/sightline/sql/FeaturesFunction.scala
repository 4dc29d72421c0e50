package sightline.sql

import sightline.model.ResultType
import sightline.plan.{FunctionArguments, ModelFunction, SessionModel}

/**
 * `ml_features(model, input…[, output => name][, options])`: computes a row's feature vector, for
 * comparing rows or for training.
 */
object FeaturesFunction extends ModelFunction {

  override val name = "ml_features"

  override protected def usage: String =
    """_FUNC_(model, input…[, output => name][, options]) - Runs `model` on a value for each of its
      |  inputs, as ml_predict does. Returns struct<features array<float>, error>: an output of features,
      |  by default the first, with the same length for every row. For a row that cannot be used only
      |  `error` is set; if all inputs are NULL the result is NULL.""".stripMargin

  private val Output = "output"

  override protected val parameters: Seq[String] = Seq("model", Output, "options")

  override protected def result(model: SessionModel, arguments: FunctionArguments): ResultType = {
    val bundle = model.inference.bundle.requireFeatures()
    val known = bundle.signature.vectors.map(_.tensor.name)
    val output = arguments.optionalLiteral(Output).map { name =>
      known.find(_.equalsIgnoreCase(name)).getOrElse {
        val names = known.mkString(", ")
        throw arguments.wrong(s"'$name' is no output of features. Known: $names.")
      }
    }
    // The first output has one result type, so that a call with its name equals a call without.
    ResultType.Vector(output.filterNot(known.headOption.contains))
  }
}
