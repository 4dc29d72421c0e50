package sightline.sql

import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.plans.logical.*

/**
 * The answer that a plan computes already.
 *
 * @param guard the condition under which it does; None: for each row
 */
final private[sql] case class KnownAnswer(result: AttributeReference, guard: Option[Expression])

/** Finds answers in the plan below a call, and carries columns up to where the call stands. */
private[sql] object KnownAnswers extends AliasHelper {

  /** The answers to `call`, whose image is an expression on the columns of `plan`. */
  def of(call: InferenceCall, plan: LogicalPlan): Seq[KnownAnswer] = {
    val wanted = call.copy(child = origin(call.child, plan))
    path(plan).collect { case infer: Infer =>
      def answers(image: Expression): Boolean =
        infer.call.copy(child = origin(image, infer.child)).semanticEquals(wanted)
      infer.call.child match {
        case image if answers(image) => Some(KnownAnswer(infer.result, None))
        case If(guard, image, Literal(otherwise, _))
            if Option(otherwise).isEmpty && guard.deterministic && answers(image) =>
          Some(KnownAnswer(infer.result, Some(guard)))
        case _ => None
      }
    }.flatten
  }

  /** The plan with `columns` of an operator on its path among its own. */
  def carry(plan: LogicalPlan, columns: Seq[Attribute]): LogicalPlan = {
    val missing = AttributeSet(columns).filterNot(plan.outputSet.contains).toSeq
    plan match {
      case _ if missing.isEmpty => plan
      case project: Project =>
        project.copy(
          projectList = project.projectList ++ missing,
          child = carry(project.child, missing),
        )
      case other => other.withNewChildren(Seq(carry(other.children.head, missing)))
    }
  }

  /** The operator, and those below it as far as a row and its columns pass through. */
  private def path(plan: LogicalPlan): List[LogicalPlan] =
    if (passes(plan)) plan :: path(plan.children.head) else List(plan)

  private def passes(plan: LogicalPlan): Boolean = plan match {
    case _: Project | _: Infer | _: Filter | _: Sort | _: LocalLimit | _: GlobalLimit | _: Offset |
        _: SubqueryAlias | _: View | _: ResolvedHint | _: Sample | _: Window | _: Generate |
        _: RepartitionOperation | _: RebalancePartitions =>
      true
    case _ => false
  }

  /** The expression on the columns furthest down the path, where two of one meaning are equal. */
  private def origin(expression: Expression, plan: LogicalPlan): Expression = {
    val below = plan match {
      case project: Project =>
        val aliases = getAliasMap(project)
        Option.when(
          // Each use of a random column is the same column; each copy of its expression is not.
          expression.references.forall(aliases.get(_).forall(_.child.deterministic))
        )(replaceAlias(expression, aliases))
      case _ => Some(expression)
    }
    below
      .filter(e => passes(plan) && e.references.subsetOf(plan.children.head.outputSet))
      .map(origin(_, plan.children.head))
      .getOrElse(withoutCasts(expression))
  }

  /** A view and a SQL function cast each of their columns to its own type. */
  private def withoutCasts(expression: Expression): Expression = expression.transform {
    case cast: Cast if cast.child.dataType == cast.dataType => cast.child
  }
}
