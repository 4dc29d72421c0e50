package sightline.sql

import org.apache.spark.sql.SparkSession

import sightline.plan.{
  CallOptions,
  FunctionArguments,
  InferenceCall,
  ModelInputs,
  ScalarFunction,
  SessionModels,
}

/** `ml_predict(model, content[, options])`: returns a model's prediction for an image. */
object PredictFunction extends ScalarFunction {

  override val name = "ml_predict"

  override protected def usage: String =
    """_FUNC_(model, content[, options]) - Runs `model` on the image whose bytes are in `content`.
      |  Returns struct<label, class_id, score, top_k, error>. For an image that cannot be decoded only
      |  `error` is set; for a NULL the result is NULL. `model` is a literal: a name, name@version, or a
      |  bundle's path. `options` is a literal map of texts, such as map('top_k', '3').
      |  In FROM, _FUNC_(TABLE(images), model[, options]) returns a table's columns without the bytes,
      |  and the columns prediction and error.""".stripMargin

  override protected val parameters: Seq[String] = Seq("model", "content", "options")
  override protected val required = 2

  override protected def build(arguments: FunctionArguments): InferenceCall = {
    val model = SessionModels.of(
      SparkSession.active,
      arguments.literalText("model"),
      CallOptions.parse(arguments.options, _),
    )
    val inputs =
      ModelInputs(name, model.inference.bundle.signature, arguments.required("content"))
    InferenceCall(name, model.inference, model.prediction, inputs)
  }
}
