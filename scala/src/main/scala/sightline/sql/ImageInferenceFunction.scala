package sightline.sql

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.sightline.ReadImageExpression

import sightline.model.ResultType
import sightline.plan.{FunctionArguments, InferenceCall, ScalarFunction, SessionModels}
import sightline.source.ImagePathReader

/** `get_image_inference_udf(path[, backend])`: runs the session's image model on the file at `path`. */
object ImageInferenceFunction extends ScalarFunction {

  override val name = "get_image_inference_udf"

  /** The setting that selects the model: a bundle's name or path. */
  val ModelSetting = "spark.sightline.imageModel"
  private val DefaultModel = "id_fraud"
  private val DefaultBackend = "pytorch"

  override protected def usage: String =
    s"""_FUNC_(path[, backend]) - Runs the model of $ModelSetting on the image at `path`.
       |  Returns struct<label, class_id, confidence, probabilities map<string,float>, error>. For an
       |  image that cannot be read or decoded only `error` is set; for a NULL path the result is NULL.
       |  `backend` is 'pytorch' (default), 'onnx' or 'openvino'.""".stripMargin

  override protected val parameters: Seq[String] = Seq("path", "backend")
  override protected val required = 1

  override protected def build(arguments: FunctionArguments): InferenceCall = {
    val backend = arguments.optionalLiteral("backend").getOrElse(DefaultBackend)
    val spark = SparkSession.active
    val name = spark.conf.getOption(ModelSetting).getOrElse(DefaultModel)
    val inference = SessionModels
      .of(spark, name, call => call.copy(settings = call.settings.copy(backend = backend)))
      .inference
    inference.bundle.requireImage().requireClasses(): Unit
    val image = ReadImageExpression(
      arguments.required("path"),
      ImagePathReader.inWorkingFolder(spark, inference.images.maxBytes),
    )
    InferenceCall(this.name, inference, ResultType.Probabilities, Seq(image))
  }
}
