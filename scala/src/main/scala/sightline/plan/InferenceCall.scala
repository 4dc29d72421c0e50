package sightline.plan

import org.apache.spark.sql.catalyst.expressions.{
  Attribute,
  AttributeReference,
  AttributeSet,
  Expression,
  Unevaluable,
}
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, OrderPreservingUnaryNode}
import org.apache.spark.sql.types.StructType

import sightline.model.ResultType
import sightline.schedule.Inference
import sightline.source.Columns

/**
 * An expression whose value is a model's answer for a row: the fields of `result`, then `error`. Each
 * part of several results has the field `error` too.
 *
 * Every SQL function and command that runs a model is this one expression. Analysis leaves it in its
 * place, so that Spark treats it like any other expression. [[ExtractInference]] moves it to its own
 * node before the optimizer can copy it.
 *
 * @param function the name by which the user calls it; for several results, the name of each, joined
 *   by " and "
 * @param inference the model, with a fixed version, and its settings
 * @param inputs a value for each input of the model, in the order of its signature. An image is
 *   BINARY, or `struct<content, error>` if reading it may have failed.
 */
final case class InferenceCall(
    function: String,
    inference: Inference,
    result: ResultType,
    inputs: Seq[Expression],
    route: Route = Route.Scalar,
) extends Expression
    with Unevaluable {

  override def children: Seq[Expression] = inputs
  override def dataType: StructType =
    InferenceCall.withError(result.dataType(inference.bundle.signature) match {
      case several if result.isInstanceOf[ResultType.Several] =>
        StructType(several.map { part =>
          part.copy(dataType = InferenceCall.withError(part.dataType.asInstanceOf[StructType]))
        })
      case fields => fields
    })
  override def nullable: Boolean = true

  /** Calls are equal by what they compute, whatever function or stage made them. */
  override lazy val canonicalized: Expression =
    copy(function = "", inputs = inputs.map(_.canonicalized))

  /** The text for EXPLAIN: the model and its settings. */
  def description: String = s"$prettyName[${inference.description}]"

  override def prettyName: String = InferenceCall.names(this).distinct.mkString(InferenceCall.And)
  override def sql: String = {
    // The session names the model of a call for probabilities.
    val model = Option.when(result != ResultType.Probabilities)(s"'${inference.name}'")
    (model ++ inputs.map(_.sql)).mkString(s"$prettyName(", ", ", ")")
  }
  override def toString: String = s"$description(${inputs.mkString(", ")})"

  override protected def withNewChildrenInternal(
      newChildren: IndexedSeq[Expression]
  ): InferenceCall = copy(inputs = newChildren)
}

object InferenceCall {

  private val And = " and "

  /** The name of the function or stage that needs each result. */
  def names(call: InferenceCall): Seq[String] = call.function.split(And).toSeq

  /** The function of a call for several results. */
  def joined(names: Seq[String]): String = names.mkString(And)

  private def withError(fields: StructType): StructType =
    fields.add(Columns.Error, Columns.ErrorType)

  /** The calls in an expression, outermost first. */
  def in(expression: Expression): Seq[InferenceCall] =
    expression.collect { case call: InferenceCall => call }
}

/** The transport of rows to the worker. */
sealed trait Route

object Route {

  /** Spark's Arrow function: only the inputs are sent. A row whose inputs are all NULL gives NULL. */
  case object Scalar extends Route

  /**
   * mapInArrow: the whole row is sent to the worker and comes back from it. A row without an input gives
   * an error.
   */
  case object Bulk extends Route
}

/**
 * A plan node that adds the model's answer to each row of `child`. It runs one inference per row,
 * even if the answer is used several times.
 *
 * @param result the answer's column
 * @param shared whether a plan uses this node more than once; Spark must not make copies of it
 */
final case class Infer(
    call: InferenceCall,
    result: AttributeReference,
    child: LogicalPlan,
    shared: Boolean = false,
) extends OrderPreservingUnaryNode {

  override def output: Seq[Attribute] = child.output :+ result
  override def producedAttributes: AttributeSet = AttributeSet(result)
  // Spark does not inline a CTE that is not deterministic. Equal images still have equal answers.
  override def deterministic: Boolean = !shared && super.deterministic
  override protected def doCanonicalize(): LogicalPlan = super.doCanonicalize() match {
    case infer: Infer => infer.copy(shared = false)
    case other => other
  }
  override def maxRows: Option[Long] = child.maxRows
  override def maxRowsPerPartition: Option[Long] = child.maxRowsPerPartition

  override protected def withNewChildInternal(newChild: LogicalPlan): Infer =
    copy(child = newChild)
}

object Infer {

  def apply(call: InferenceCall, child: LogicalPlan): Infer =
    Infer(call, AttributeReference(call.prettyName, call.dataType)(), child)
}
