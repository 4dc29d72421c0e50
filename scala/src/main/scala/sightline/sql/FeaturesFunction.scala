package sightline.sql

import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.expressions.{Expression, ExpressionInfo}

/**
 * `ml_features(model, content[, options])`: computes an image's feature vector, for comparing
 * images or for training.
 */
object FeaturesFunction {

  val Name = "ml_features"

  private val usage =
    """_FUNC_(model, content[, options]) - Runs `model` on the image whose bytes are in `content`.
      |  Gives struct<features array<float>, error>: the model's output of features, the same length
      |  for every image. An image that cannot be decoded gives `error`, a NULL gives NULL.""".stripMargin

  /**
   * The function for the session extensions. It must be the same object each time; Spark warns
   * otherwise.
   */
  lazy val description: (FunctionIdentifier, ExpressionInfo, Seq[Expression] => Expression) =
    Description(this, Name, usage, "misc_funcs")(build)

  private def build(expressions: Seq[Expression]): Expression = {
    val call = InferenceCall.ofContent(Name, InferenceResult.Features, expressions)
    call.inference.bundle.requireFeatures(): Unit
    call
  }
}
