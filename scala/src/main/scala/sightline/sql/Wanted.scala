package sightline.sql

import org.apache.spark.sql.catalyst.analysis.{EliminateSubqueryAliases, EliminateView}
import org.apache.spark.sql.catalyst.expressions.ExprId
import org.apache.spark.sql.catalyst.optimizer.{CollapseProject, ColumnPruning, PushDownPredicates}
import org.apache.spark.sql.catalyst.plans.logical.{LocalLimit, LogicalPlan}
import org.apache.spark.sql.catalyst.rules.RuleExecutor

/**
 * Finds the inferences of a plan that are worth sharing: their result is used, and no limit reduces
 * their input to a few rows. It applies the optimizer's rules to a copy of the plan.
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

  /** The ids of these inferences' result columns. */
  def in(plan: LogicalPlan): Set[ExprId] = {
    val here = execute(plan).collect {
      case infer: Infer if !infer.exists(_.isInstanceOf[LocalLimit]) => infer.result.exprId
    }
    (here ++ plan.flatMap(_.subqueries).flatMap(in)).toSet
  }
}
