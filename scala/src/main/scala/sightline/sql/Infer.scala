package sightline.sql

import org.apache.spark.sql.catalyst.expressions.{Attribute, AttributeReference, AttributeSet}
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, OrderPreservingUnaryNode}

/**
 * The rows of `child`, each with the model's answer: one inference a row, however often it is used.
 *
 * @param result the answer's column
 * @param shared whether a plan uses it more than once, and is not to have copies
 */
final case class Infer(
    call: InferenceCall,
    result: AttributeReference,
    child: LogicalPlan,
    shared: Boolean = false,
) extends OrderPreservingUnaryNode {

  override def output: Seq[Attribute] = child.output :+ result
  override def producedAttributes: AttributeSet = AttributeSet(result)
  // By this Spark knows what it must not inline; equal images have equal answers all the same.
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
    Infer(call, AttributeReference(call.function, call.dataType)(), child)
}
