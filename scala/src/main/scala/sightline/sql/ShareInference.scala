package sightline.sql

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.expressions.SubqueryExpression
import org.apache.spark.sql.catalyst.plans.logical.*
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.sightline.CachedData

/**
 * Makes one inference of those that a plan holds twice, such as both sides of a join of a view with
 * itself: a common table expression that Spark does not inline, but computes once and shuffles.
 *
 * Spark's own rules for these then find which columns and rows all its uses need.
 */
final class ShareInference(spark: SparkSession) extends Rule[LogicalPlan] {

  override def apply(plan: LogicalPlan): LogicalPlan = plan match {
    case command: Command => command.mapChildren(apply)
    case query if inferences(query).isEmpty => query
    case query => share(keepApart(query))
  }

  /** Of a WITH that is used more than once, Spark inlines each use unless it is not deterministic. */
  private def keepApart(plan: LogicalPlan): LogicalPlan = plan.transform {
    case definition: CTERelationDef =>
      definition.copy(child = definition.child.transform { case infer: Infer =>
        infer.copy(shared = true)
      })
  }

  private def share(plan: LogicalPlan): LogicalPlan = {
    val run = CachedData.in(spark, plan)
    val wanted = Wanted.in(run)
    val twice = inferences(run)
      .filter(infer => wanted(infer.result.exprId) && !readsWith(infer))
      .groupBy(_.canonicalized)
      .values
      .filter(_.size > 1)
      .toSeq
      .sortBy(_.head.result.exprId.id)
    // A number that no analyser gives, and the same for the same plan: a cached one is found again.
    val definitions = twice.zipWithIndex.map { case (equal, index) =>
      equal -> CTERelationDef(equal.head.copy(shared = true), id = -1L - index)
    }
    if (definitions.isEmpty) plan
    else {
      val definitionOf = definitions.flatMap { case (equal, definition) =>
        equal.map(_.result.exprId -> definition)
      }.toMap
      val shared = plan.transformWithSubqueries {
        case infer: Infer if !infer.shared && definitionOf.contains(infer.result.exprId) =>
          reference(definitionOf(infer.result.exprId), infer)
      }
      WithCTE(shared, definitions.map(_._2))
    }
  }

  // Its definition would have to stand before ours.
  private def readsWith(infer: Infer): Boolean = infer.child.exists {
    case _: CTERelationRef => true
    case _ => false
  }

  private def reference(definition: CTERelationDef, infer: Infer): LogicalPlan =
    CTERelationRef(definition.id, _resolved = true, infer.output, isStreaming = false)

  /** All but what is shared already. */
  private def inferences(plan: LogicalPlan): Seq[Infer] = plan match {
    case infer: Infer if infer.shared || infer.isStreaming => Nil
    case infer: Infer => infer +: inferences(infer.child)
    case other => (other.children ++ ShareInference.subqueries(other)).flatMap(inferences)
  }
}

private object ShareInference {

  /** Those that stand for themselves: Spark takes a correlated one apart. */
  def subqueries(operator: LogicalPlan): Seq[LogicalPlan] =
    operator.expressions.flatMap(_.collect {
      case subquery: SubqueryExpression if subquery.getOuterAttrs.isEmpty => subquery.plan
    })
}
