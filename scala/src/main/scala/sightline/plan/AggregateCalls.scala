package sightline.plan

import scala.collection.mutable

import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.expressions.aggregate.{AggregateExpression, First}
import org.apache.spark.sql.catalyst.plans.logical.{Aggregate, LogicalPlan, Project}

/** Rewrites model calls in an aggregation that are evaluated once for each group. */
private[plan] object AggregateCalls {

  /**
   * Moves calls on grouping keys and on aggregate functions, such as `ml_predict(m,
   * first(content))`, to a projection above the aggregate. The calls that remain in the aggregate
   * are inside aggregate functions and grouping keys. They are evaluated below it, once for each
   * row.
   */
  def lift(aggregate: Aggregate): LogicalPlan = {
    val within = aggregate.groupingExpressions ++ parts(aggregate)
    val rows = within.flatMap(InferenceCall.in)
    def ofRows(call: InferenceCall): Boolean = rows.exists(_.semanticEquals(call))
    val known = aggregate.aggregateExpressions.map { expression =>
      // These calls are evaluated for each row anyway; all rows of a group have the same image.
      replace(expression, aggregate) {
        case call: InferenceCall if ofRows(call) =>
          First(call, ignoreNulls = false).toAggregateExpression()
      }
    }
    if (known.forall(outside(_, aggregate).isEmpty)) aggregate.copy(aggregateExpressions = known)
    else split(aggregate.copy(aggregateExpressions = known))
  }

  private def split(aggregate: Aggregate): LogicalPlan = {
    val columns = mutable.LinkedHashMap.empty[Expression, NamedExpression]
    def column(part: Expression): Attribute = {
      val key = if (part.deterministic) part.canonicalized else part
      columns
        .getOrElseUpdate(
          key,
          part match {
            case named: NamedExpression => named
            case other => Alias(other, "part")()
          },
        )
        .toAttribute
    }
    val above = aggregate.aggregateExpressions.map { expression =>
      if (outside(expression, aggregate).isEmpty) {
        columns.update(expression, expression)
        expression.toAttribute
      } else {
        expression
          .transformDown { case part if isPart(part, aggregate) => column(part) }
          .asInstanceOf[NamedExpression]
      }
    }
    val below = columns.values.toSeq.distinctBy(_.exprId)
    Project(above, aggregate.copy(aggregateExpressions = below))
  }

  private def isPart(expression: Expression, aggregate: Aggregate): Boolean =
    expression.isInstanceOf[AggregateExpression] ||
      aggregate.groupingExpressions.exists(_.semanticEquals(expression))

  /** The aggregate functions and grouping keys in the aggregate's output expressions. */
  private def parts(aggregate: Aggregate): Seq[Expression] = {
    def in(expression: Expression): Seq[Expression] =
      if (isPart(expression, aggregate)) Seq(expression) else expression.children.flatMap(in)
    aggregate.aggregateExpressions.flatMap(in)
  }

  /** The calls that are inside no aggregate function and no grouping key. */
  private def outside(expression: Expression, aggregate: Aggregate): Seq[InferenceCall] =
    expression match {
      case part if isPart(part, aggregate) => Nil
      case call: InferenceCall => Seq(call)
      case other => other.children.flatMap(outside(_, aggregate))
    }

  private def replace(expression: NamedExpression, aggregate: Aggregate)(
      rule: PartialFunction[Expression, Expression]
  ): NamedExpression = {
    def in(expression: Expression): Expression =
      if (isPart(expression, aggregate)) expression
      else rule.applyOrElse[Expression, Expression](expression, _.mapChildren(in))
    in(expression).asInstanceOf[NamedExpression]
  }
}
