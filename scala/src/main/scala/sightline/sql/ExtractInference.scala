package sightline.sql

import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.plans.logical.*
import org.apache.spark.sql.catalyst.rules.Rule

/**
 * Gives every call of a model a node below the operator that uses it, one for all equal calls.
 *
 * It runs on the analysed plan of a whole query, before the optimizer: there, pushing a filter
 * through a projection would copy the call. (In the analyzer it would be too early: a self-join or
 * a CTE gives the columns of its second side new names, and knows how for projections only.)
 */
object ExtractInference extends Rule[LogicalPlan] with AliasHelper {

  override def apply(plan: LogicalPlan): LogicalPlan =
    plan.transformUpWithSubqueries {
      case operator: UnaryNode if hasCall(operator) && !operator.isInstanceOf[Command] =>
        extract(operator)
    }

  private def hasCall(operator: LogicalPlan): Boolean =
    operator.expressions.exists(_.exists(_.isInstanceOf[InferenceCall]))

  private def extract(operator: UnaryNode): LogicalPlan = {
    val output = operator.output
    val extracted = Iterator
      .iterate[LogicalPlan](operator)(extractOne)
      .dropWhile(hasCall)
      .next()
    if (extracted.output == output) extracted else Project(output, extracted)
  }

  /** Takes out a call that waits for no other: neither its image nor its condition holds one. */
  private def extractOne(operator: LogicalPlan): LogicalPlan = {
    val child = operator.children.head
    val uses = operator.expressions.flatMap(GuardedCall.in)
    val next = uses
      .find(use => (use.call.child +: use.guard.toSeq).forall(!_.exists(isCall)))
      // A condition that waits for the very call that it guards is none.
      .orElse(uses.find(!_.call.child.exists(isCall)))
      .map(_.call)
      .get
    val guards = uses.filter(use => same(use.call, next)).map(_.guard)
    val (below, result) = expose(child, next).getOrElse {
      val infer = Infer(guarded(next, guards, child), child)
      (infer, infer.result)
    }
    operator
      .withNewChildren(Seq(below))
      .transformExpressionsDown { case call: InferenceCall if same(call, next) => result }
  }

  /** The call, on no image where no condition under which its result is used holds. */
  private def guarded(
      call: InferenceCall,
      guards: Seq[Option[Expression]],
      child: LogicalPlan,
  ): InferenceCall = {
    def canStandBelow(guard: Expression): Boolean =
      guard.deterministic && guard.references.subsetOf(child.outputSet) && !guard.exists {
        case _: SubqueryExpression | _: OuterReference | _: WindowExpression => true
        case _: aggregate.AggregateExpression | _: Generator | _: NamedLambdaVariable => true
        case other => isCall(other)
      }
    if (guards.forall(_.exists(canStandBelow))) {
      val needed = guards.flatten.distinct.reduce(Or.apply)
      call.copy(child = If(needed, call.child, Literal(None.orNull, call.child.dataType)))
    } else call
  }

  /**
   * The plan with the result of an equal call among its columns, if the plan below it has one; only
   * operators that keep rows as they are, or leave some out, may lie between.
   */
  private def expose(
      plan: LogicalPlan,
      call: InferenceCall,
  ): Option[(LogicalPlan, AttributeReference)] = plan match {
    case infer: Infer if infer.call.semanticEquals(call) => Some((infer, infer.result))
    case project: Project if call.references.subsetOf(project.outputSet) =>
      expose(project.child, below(call, project)).map { case (child, result) =>
        val list =
          if (project.outputSet.contains(result)) project.projectList
          else project.projectList :+ result
        (project.copy(projectList = list, child = child), result)
      }
    case _: Infer | _: Filter | _: Sort | _: LocalLimit | _: GlobalLimit | _: SubqueryAlias |
        _: View | _: Sample | _: Window =>
      val below = plan.children.head
      if (call.references.subsetOf(below.outputSet)) {
        expose(below, call).map { case (child, result) =>
          (plan.withNewChildren(Seq(child)), result)
        }
      } else None
    case _ => None
  }

  /** The call in the columns below a projection; a view casts each of its columns to its own type. */
  private def below(call: InferenceCall, project: Project): InferenceCall = {
    val image = replaceAlias(call.child, getAliasMap(project)).transform {
      case cast: Cast if cast.child.dataType == cast.dataType => cast.child
    }
    call.copy(child = image)
  }

  /** No two calls of a random image are the same, but each is itself. */
  private def same(one: InferenceCall, other: InferenceCall): Boolean =
    one.eq(other) || one.semanticEquals(other)

  private def isCall(expression: Expression): Boolean = expression.isInstanceOf[InferenceCall]
}
