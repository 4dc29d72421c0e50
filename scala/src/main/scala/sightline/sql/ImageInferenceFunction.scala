package sightline.sql

import org.apache.hadoop.fs.FileSystem
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.expressions.{Expression, ExpressionInfo}
import org.apache.spark.sql.sightline.AnalysisErrors
import org.apache.spark.sql.types.StringType

import sightline.schedule.Inference
import sightline.source.{Columns, ReadImage}
import sightline.{BuildInfo, SightlineException}

/** `get_image_inference_udf(path[, backend])`: the session's image model on the file at `path`. */
object ImageInferenceFunction {

  val Name = "get_image_inference_udf"

  /** Which model it runs: a bundle's name or path. */
  val ModelSetting = "spark.sightline.imageModel"
  private val DefaultModel = "id_fraud"
  private val DefaultBackend = "pytorch"

  private val usage =
    s"""_FUNC_(path[, backend]) - Runs the model of $ModelSetting on the image at `path`.
       |  Gives struct<label, class_id, confidence, probabilities map<string,float>, error>: an image
       |  that cannot be read or decoded gives `error`, a NULL path gives NULL.
       |  `backend` is 'pytorch' (default) or 'onnx'.""".stripMargin

  /** What the session extensions register. */
  def description: (FunctionIdentifier, ExpressionInfo, Seq[Expression] => Expression) =
    (
      FunctionIdentifier(Name),
      new ExpressionInfo(
        getClass.getName,
        None.orNull,
        Name,
        usage,
        "",
        "",
        "",
        "misc_funcs",
        BuildInfo.version,
        "",
        "scala_udf",
      ),
      arguments => AnalysisErrors.analysed(build(arguments)),
    )

  private def build(arguments: Seq[Expression]): Expression = {
    val (path, backend) = arguments match {
      case Seq(path) => (path, DefaultBackend)
      case Seq(path, backend) => (path, literal(backend))
      case _ =>
        throw SightlineException.wrongUse(
          "WRONG_ARGUMENTS",
          s"$Name takes (path[, backend]), not ${arguments.size} arguments.",
        )
    }
    val spark = SparkSession.active
    val model = spark.conf.getOption(ModelSetting).getOrElse(DefaultModel)
    val inference = Inference(
      SessionModels.find(spark, model).requireBackend(backend),
      SessionModels.settings(spark).copy(backend = backend),
    )
    val image = ReadImage(spark, path, workingFolder(spark), inference.settings.maxImageBytes)
    inference
      .scalar(spark, "image_inference")
      .scalar(Name, Columns.ImageInferenceType, Seq(image))
  }

  /** Where relative paths start: the working folder of the session's default file system. */
  private def workingFolder(spark: SparkSession): String =
    FileSystem.get(spark.sessionState.newHadoopConf()).getWorkingDirectory.toString

  private def literal(backend: Expression): String =
    if (backend.foldable && backend.dataType == StringType) {
      Option(backend.eval()).map(_.toString).getOrElse(DefaultBackend)
    } else {
      throw SightlineException.wrongUse(
        "WRONG_ARGUMENTS",
        s"the backend of $Name must be a literal, 'pytorch' or 'onnx', not ${backend.sql}.",
      )
    }
}
