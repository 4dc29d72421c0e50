package sightline.plan

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.expressions.{Expression, UnaryExpression, Unevaluable}
import org.apache.spark.sql.types.DataType

import sightline.schedule.Inference

/**
 * An expression that gives a model's answer for an image.
 *
 * Every SQL function that runs a model is this one expression. Analysis leaves it in its place, so
 * that Spark treats it like any other expression. [[ExtractInference]] moves it to its own node
 * before the optimizer can copy it.
 *
 * @param function the name by which the user calls it
 * @param inference the model, with a fixed version, and its settings
 * @param child the image's bytes, or `struct<content, error>` if reading them may have failed; NULL
 *   gives NULL
 */
final case class InferenceCall(
    function: String,
    inference: Inference,
    result: InferenceResult,
    child: Expression,
) extends UnaryExpression
    with Unevaluable {

  override def dataType: DataType = result.dataType
  override def nullable: Boolean = true

  /** The text for EXPLAIN: which model runs, and how. */
  def description: String = s"$function[${inference.description}]"

  override def prettyName: String = function
  override def sql: String = result match {
    case InferenceResult.ImageInference => s"$function(${child.sql})"
    case _ => s"$function('${inference.name}', ${child.sql})"
  }
  override def toString: String = s"$description($child)"

  override protected def withNewChildInternal(newChild: Expression): InferenceCall =
    copy(child = newChild)
}

object InferenceCall {

  def in(expression: Expression): Seq[InferenceCall] =
    expression.collect { case call: InferenceCall => call }

  /** Builds a call of `function(model, content[, options])`. */
  def ofContent(
      function: String,
      result: InferenceResult,
      expressions: Seq[Expression],
  ): InferenceCall = {
    val arguments = FunctionArguments(function, Seq("model", "content", "options"), 2, expressions)
    val image = ImageArgument(function, arguments.required("content"))
    val inference = SessionModels.inference(
      SparkSession.active,
      arguments.literalText("model"),
      CallOptions.parse(arguments.options, _),
    )
    InferenceCall(function, inference, result, image)
  }
}
