package sightline.sql

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.expressions.{Expression, UnaryExpression, Unevaluable}
import org.apache.spark.sql.types.DataType

import sightline.schedule.Inference

/**
 * A model's answer for an image, where a query asks for it.
 *
 * Every SQL function of a model is this one expression. Analysis leaves it where it stands, so that
 * Spark treats it as any other expression; [[ExtractInference]] gives it a node of its own before the
 * optimizer could copy it.
 *
 * @param function as the user calls it
 * @param inference the model, its version fixed, and how it is run
 * @param child the image's bytes, or `struct<content, error>` where they may not have been read;
 *   null gives null
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

  /** What EXPLAIN says of the model: which one, and how it runs. */
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

  /** A call of `function(model, content[, options])`. */
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
