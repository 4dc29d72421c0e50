package sightline.sql

import org.apache.spark.sql.SparkSession

import sightline.model.ResultType
import sightline.plan.{
  CallOptions,
  FunctionArguments,
  InferenceCall,
  ModelInputs,
  ScalarFunction,
  SessionModels,
}

/**
 * `ml_features(model, content[, options])`: computes an image's feature vector, for comparing
 * images or for training.
 */
object FeaturesFunction extends ScalarFunction {

  override val name = "ml_features"

  override protected def usage: String =
    """_FUNC_(model, content[, options]) - Runs `model` on the image whose bytes are in `content`.
      |  Returns struct<features array<float>, error>: the model's output of features, with the same
      |  length for every image. For an image that cannot be decoded only `error` is set; for a NULL the
      |  result is NULL.""".stripMargin

  override protected val parameters: Seq[String] = Seq("model", "content", "options")
  override protected val required = 2

  override protected def build(arguments: FunctionArguments): InferenceCall = {
    val inference = SessionModels
      .of(
        SparkSession.active,
        arguments.literalText("model"),
        CallOptions.parse(arguments.options, _),
      )
      .inference
    val inputs = ModelInputs(name, inference.bundle.signature, arguments.required("content"))
    inference.bundle.requireFeatures(): Unit
    InferenceCall(name, inference, ResultType.Vector, inputs)
  }
}
