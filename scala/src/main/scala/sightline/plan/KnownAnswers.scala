package sightline.plan

import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.plans.logical.*

/**
 * An answer that a plan already computes.
 *
 * @param infer the node that computes it
 * @param value the answer, an expression on the node's result
 * @param guard the condition under which it is computed; None if it is computed for each row
 */
final private[plan] case class KnownAnswer(
    infer: Infer,
    value: Expression,
    guard: Option[Expression],
)

/** Finds answers in the plan below a call, and carries columns up to the operator with the call. */
private[plan] object KnownAnswers extends AliasHelper {

  /** Finds the answers to `call`, whose inputs are expressions on the columns of `plan`. */
  def of(call: InferenceCall, plan: LogicalPlan): Seq[KnownAnswer] =
    alike(call, plan).flatMap { case (infer, guard) =>
      CombinedCalls
        .answer(call.result, infer.result, infer.call.result)
        .map(KnownAnswer(infer, _, guard))
    }

  /**
   * Finds inferences in the plan below a call that differ from it at most in their results, and the
   * conditions under which they are computed.
   */
  def alike(call: InferenceCall, plan: LogicalPlan): Seq[(Infer, Option[Expression])] = {
    val wanted = call.copy(inputs = call.inputs.map(origin(_, plan)))
    path(plan).collect { case infer: Infer =>
      def answers(inputs: Seq[Expression]): Boolean =
        CombinedCalls.alike(infer.call.copy(inputs = inputs.map(origin(_, infer.child))), wanted)
      if (answers(infer.call.inputs)) Some(infer -> None)
      else {
        guarded(infer.call.inputs)
          .filter { case (guard, inputs) => guard.deterministic && answers(inputs) }
          .map { case (guard, _) => infer -> Some(guard) }
      }
    }.flatten
  }

  /** The guard that [[ExtractInference]] put around all inputs, and the inputs without it. */
  private def guarded(inputs: Seq[Expression]): Option[(Expression, Seq[Expression])] = {
    val parts = inputs.collect {
      case If(guard, input, Literal(otherwise, _)) if Option(otherwise).isEmpty => guard -> input
    }
    parts.headOption.collect {
      case (guard, _) if parts.size == inputs.size && parts.forall(_._1.semanticEquals(guard)) =>
        guard -> parts.map(_._2)
    }
  }

  /** Adds `columns` of an operator on the plan's path to the plan's output. */
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

  /** The operator and those below it, as long as they pass each row and its columns on. */
  private def path(plan: LogicalPlan): List[LogicalPlan] =
    if (passes(plan)) plan :: path(plan.children.head) else List(plan)

  /** Whether an operator passes each row and its columns on. */
  def passes(plan: LogicalPlan): Boolean = plan match {
    case _: Project | _: Infer | _: Filter | _: Sort | _: LocalLimit | _: GlobalLimit | _: Offset |
        _: SubqueryAlias | _: View | _: ResolvedHint | _: Sample | _: Window | _: Generate |
        _: RepartitionOperation | _: RebalancePartitions =>
      true
    case _ => false
  }

  /**
   * Rewrites an expression to the lowest columns on the path, so that equivalent expressions are
   * equal.
   */
  private def origin(expression: Expression, plan: LogicalPlan): Expression = {
    val below = plan match {
      case project: Project =>
        val aliases = getAliasMap(project)
        Option.when(
          // Uses of one random column have equal values; copies of its expression do not.
          expression.references.forall(aliases.get(_).forall(_.child.deterministic))
        )(replaceAlias(expression, aliases))
      case _ => Some(expression)
    }
    below
      .filter(e => passes(plan) && e.references.subsetOf(plan.children.head.outputSet))
      .map(origin(_, plan.children.head))
      .getOrElse(withoutCasts(expression))
  }

  /** Removes casts to the same type, which views and SQL functions add to each of their columns. */
  private def withoutCasts(expression: Expression): Expression = expression.transform {
    case cast: Cast if cast.child.dataType == cast.dataType => cast.child
  }
}
