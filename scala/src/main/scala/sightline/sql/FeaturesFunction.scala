package sightline.sql

import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.expressions.{Expression, ExpressionInfo}

/** `ml_features(model, content[, options])`: an image as a vector, to compare or to learn from. */
object FeaturesFunction {

  val Name = "ml_features"

  private val usage =
    """_FUNC_(model, content[, options]) - Runs `model` on the image whose bytes are in `content`.
      |  Gives struct<features array<float>, error>: the model's output of features, the same length
      |  for every image. An image that cannot be decoded gives `error`, a NULL gives NULL.""".stripMargin

  /** What the session extensions register; the same object each time, or Spark would warn. */
  lazy val description: (FunctionIdentifier, ExpressionInfo, Seq[Expression] => Expression) =
    Description(this, Name, usage, "misc_funcs")(build)

  private def build(expressions: Seq[Expression]): Expression = {
    val call = InferenceCall.ofContent(Name, InferenceResult.Features, expressions)
    call.inference.bundle.requireFeatures(): Unit
    call
  }
}
