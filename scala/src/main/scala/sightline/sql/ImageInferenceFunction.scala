package sightline.sql

import org.apache.hadoop.fs.FileSystem
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.expressions.{Expression, ExpressionInfo}
import org.apache.spark.sql.sightline.ReadImageExpression

import sightline.source.ImagePathReader

/** `get_image_inference_udf(path[, backend])`: runs the session's image model on the file at `path`. */
object ImageInferenceFunction {

  val Name = "get_image_inference_udf"

  /** The setting that selects the model: a bundle's name or path. */
  val ModelSetting = "spark.sightline.imageModel"
  private val DefaultModel = "id_fraud"
  private val DefaultBackend = "pytorch"

  private val usage =
    s"""_FUNC_(path[, backend]) - Runs the model of $ModelSetting on the image at `path`.
       |  Gives struct<label, class_id, confidence, probabilities map<string,float>, error>: an image
       |  that cannot be read or decoded gives `error`, a NULL path gives NULL.
       |  `backend` is 'pytorch' (default), 'onnx' or 'openvino'.""".stripMargin

  /**
   * The function for the session extensions. It must be the same object each time; Spark warns
   * otherwise.
   */
  lazy val description: (FunctionIdentifier, ExpressionInfo, Seq[Expression] => Expression) =
    Description(this, Name, usage, "misc_funcs")(build)

  private def build(expressions: Seq[Expression]): Expression = {
    val arguments = FunctionArguments(Name, Seq("path", "backend"), 1, expressions)
    val backend = arguments.optionalLiteral("backend").getOrElse(DefaultBackend)
    val spark = SparkSession.active
    val model = spark.conf.getOption(ModelSetting).getOrElse(DefaultModel)
    val inference = SessionModels.inference(spark, model, _.copy(backend = backend))
    val path = arguments.required("path")
    val image =
      ReadImageExpression(
        path,
        ImagePathReader(spark, workingFolder(spark), inference.settings.maxImageBytes),
      )
    InferenceCall(Name, inference, InferenceResult.ImageInference, image)
  }

  /** The base of relative paths: the working folder of the session's default file system. */
  private def workingFolder(spark: SparkSession): String =
    FileSystem.get(spark.sessionState.newHadoopConf()).getWorkingDirectory.toString
}
