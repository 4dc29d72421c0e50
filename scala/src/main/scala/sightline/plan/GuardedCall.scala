package sightline.plan

import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.expressions.Literal.{FalseLiteral, TrueLiteral}
import org.apache.spark.sql.catalyst.expressions.aggregate.AggregateExpression
import org.apache.spark.sql.catalyst.plans.logical.{Filter, LogicalPlan}

/**
 * A use of a model's answer in an expression.
 *
 * @param guards the conditions of this use, outermost first. Each guard is evaluated only where all
 *   guards before it are true, and the answer is used only where all guards are true. If there are
 *   no guards, the answer is always used.
 */
final case class GuardedCall(call: InferenceCall, guards: Seq[Expression])

object GuardedCall extends PredicateHelper {

  /** Finds every call in an operator, with the conditions around it. */
  def in(operator: LogicalPlan): Seq[GuardedCall] = operator match {
    // The optimizer moves each condition of the filter below the inference where this is possible.
    case filter: Filter => splitConjunctivePredicates(filter.condition).flatMap(in)
    case other => other.expressions.flatMap(in)
  }

  /**
   * Finds every call in an expression, with the conditions of CASE, IF, COALESCE, AND, OR and
   * FILTER.
   */
  def in(expression: Expression): Seq[GuardedCall] = new Guards(Map.empty).in(expression, Nil)

  /**
   * @param definitions the common expressions by number. `nullif`, BETWEEN and the like evaluate
   *   them once and refer to them by number.
   */
  private class Guards(private val definitions: Map[CommonExpressionId, Expression]) {

    def in(expression: Expression, guards: Seq[Expression]): Seq[GuardedCall] = expression match {
      case call: InferenceCall => GuardedCall(call, guards) +: call.inputs.flatMap(in(_, guards))
      case If(condition, yes, no) => branches(Seq(condition -> yes), Some(no), guards)
      case CaseWhen(cases, otherwise) => branches(cases, otherwise, guards)
      case Coalesce(values) => inOrder(values, guards)(IsNull(_))
      case NaNvl(value, instead) => inOrder(Seq(value, instead), guards)(IsNaN(_))
      case And(left, right) =>
        inOrder(Seq(left, right), guards)(left => Not(EqualNullSafe(left, FalseLiteral)))
      case Or(left, right) =>
        inOrder(Seq(left, right), guards)(left => Not(EqualNullSafe(left, TrueLiteral)))
      case AggregateExpression(function, _, _, filter, _) =>
        filter.toSeq.flatMap(in(_, guards)) ++ in(function, guards ++ filter.map(plain))
      case With(child, defined) =>
        defined
          .flatMap(definition => in(definition.child, guards)) ++ and(defined).in(child, guards)
      case other => other.children.flatMap(in(_, guards))
    }

    /**
     * Finds calls in values that are evaluated in order: each value is evaluated only for rows
     * where `goesOn` is true for all values before it.
     */
    private def inOrder(values: Seq[Expression], guards: Seq[Expression])(
        goesOn: Expression => Expression
    ): Seq[GuardedCall] =
      values.indices.flatMap { index =>
        in(values(index), guards ++ values.take(index).map(value => goesOn(plain(value))))
      }

    private def branches(
        cases: Seq[(Expression, Expression)],
        otherwise: Option[Expression],
        guards: Seq[Expression],
    ): Seq[GuardedCall] = {
      val (found, reached) = cases.foldLeft((Seq.empty[GuardedCall], guards)) {
        case ((found, reached), (condition, value)) =>
          val here = in(condition, reached) ++ in(value, reached :+ plain(condition))
          (found ++ here, reached :+ Not(EqualNullSafe(plain(condition), TrueLiteral)))
      }
      found ++ otherwise.toSeq.flatMap(in(_, reached))
    }

    /** The expression with each reference to a common expression replaced by its definition. */
    private def plain(expression: Expression): Expression = expression match {
      case With(child, defined) => and(defined).plain(child)
      case reference: CommonExpressionRef => definitions.getOrElse(reference.id, reference)
      case other => other.mapChildren(plain)
    }

    private def and(defined: Seq[CommonExpressionDef]): Guards = defined.foldLeft(this) {
      (known, definition) =>
        new Guards(known.definitions + (definition.id -> known.plain(definition.child)))
    }
  }
}
