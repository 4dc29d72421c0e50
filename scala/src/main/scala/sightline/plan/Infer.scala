package sightline.plan

import org.apache.spark.sql.catalyst.expressions.{Attribute, AttributeReference, AttributeSet}
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, OrderPreservingUnaryNode}

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
    Infer(call, AttributeReference(call.function, call.dataType)(), child)
}
