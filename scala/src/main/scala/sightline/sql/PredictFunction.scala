package sightline.sql

import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.expressions.{Expression, ExpressionInfo}

/** `ml_predict(model, content[, options])`: gives a model's prediction for an image. */
object PredictFunction {

  val Name = "ml_predict"

  private val usage =
    """_FUNC_(model, content[, options]) - Runs `model` on the image whose bytes are in `content`.
      |  Gives struct<label, class_id, score, top_k, error>: an image that cannot be decoded gives
      |  `error`, a NULL gives NULL. `model` is a literal: a name, name@version, or a bundle's path.
      |  `options` is a literal map of texts, such as map('top_k', '3').
      |  In FROM, _FUNC_(TABLE(images), model[, options]) does it for a table: its columns without the
      |  bytes, then prediction and error.""".stripMargin

  /**
   * The function for the session extensions. It must be the same object each time; Spark warns
   * otherwise.
   */
  lazy val description: (FunctionIdentifier, ExpressionInfo, Seq[Expression] => Expression) =
    Description(this, Name, usage, "misc_funcs")(build)

  private def build(expressions: Seq[Expression]): Expression =
    InferenceCall.ofContent(Name, InferenceResult.Prediction, expressions)
}
