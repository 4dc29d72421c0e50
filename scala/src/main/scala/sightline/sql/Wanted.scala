package sightline.sql

import org.apache.spark.sql.catalyst.analysis.{EliminateSubqueryAliases, EliminateView}
import org.apache.spark.sql.catalyst.expressions.ExprId
import org.apache.spark.sql.catalyst.optimizer.{CollapseProject, ColumnPruning, PushDownPredicates}
import org.apache.spark.sql.catalyst.plans.logical.{LocalLimit, LogicalPlan}
import org.apache.spark.sql.catalyst.rules.RuleExecutor

/**
 * Which inferences of a plan are worth sharing: their result is used, and no limit leaves them a few
 * rows. It is seen on a copy, by the rules that the optimizer will apply.
 */
private object Wanted extends RuleExecutor[LogicalPlan] {

  private val MostPasses = 20

  override protected def batches: Seq[Batch] = Seq(
    Batch("Leave views", Once, EliminateSubqueryAliases, EliminateView),
    Batch(
      "What is used",
      FixedPoint(MostPasses),
      PushDownPredicates,
      ColumnPruning,
      CollapseProject,
      OptimizeInference,
    ),
  )

  /** The columns of their results. */
  def in(plan: LogicalPlan): Set[ExprId] = {
    val here = execute(plan).collect {
      case infer: Infer if !infer.exists(_.isInstanceOf[LocalLimit]) => infer.result.exprId
    }
    (here ++ plan.flatMap(_.subqueries).flatMap(in)).toSet
  }
}
