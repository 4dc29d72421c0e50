package sightline.sql

import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.expressions.Literal.TrueLiteral

/**
 * A place where a model's answer is used.
 *
 * @param guard the condition under which it is; None: always
 */
final case class GuardedCall(call: InferenceCall, guard: Option[Expression])

object GuardedCall {

  /** Every call in an expression, with the conditions of CASE, IF and COALESCE around it. */
  def in(expression: Expression): Seq[GuardedCall] = in(expression, None)

  private def in(expression: Expression, guard: Option[Expression]): Seq[GuardedCall] =
    expression match {
      case call: InferenceCall => GuardedCall(call, guard) +: in(call.child, guard)
      case If(condition, yes, no) => branches(Seq(condition -> yes), Some(no), guard)
      case CaseWhen(cases, otherwise) => branches(cases, otherwise, guard)
      case Coalesce(first +: others) =>
        others
          .foldLeft((in(first, guard), and(guard, IsNull(first)))) {
            case ((found, reached), value) =>
              (found ++ in(value, reached), and(reached, IsNull(value)))
          }
          ._1
      case other => other.children.flatMap(in(_, guard))
    }

  private def branches(
      cases: Seq[(Expression, Expression)],
      otherwise: Option[Expression],
      guard: Option[Expression],
  ): Seq[GuardedCall] = {
    val (found, reached) = cases.foldLeft((Seq.empty[GuardedCall], guard)) {
      case ((found, reached), (condition, value)) =>
        val here = in(condition, reached) ++ in(value, and(reached, condition))
        (found ++ here, and(reached, Not(EqualNullSafe(condition, TrueLiteral))))
    }
    found ++ otherwise.toSeq.flatMap(in(_, reached))
  }

  private def and(guard: Option[Expression], more: Expression): Option[Expression] =
    Some(guard.fold(more)(And(_, more)))
}
