package sightline.sql

import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.plans.logical.*
import org.apache.spark.sql.catalyst.rules.Rule

/**
 * Infers for no row that nobody asks for: filters on other columns and limits go below an [[Infer]],
 * and one whose result is not used goes.
 *
 * It runs with the optimizer's own rules, which do the same for the nodes that they know.
 */
object OptimizeInference extends Rule[LogicalPlan] with PredicateHelper with AliasHelper {

  // A page of a table. What a limit leaves lies in one partition: many rows would be one task's.
  private val Page = 1000

  override def apply(plan: LogicalPlan): LogicalPlan = plan.transform {
    case project @ Project(_, infer: Infer) if !project.references.contains(infer.result) =>
      project.copy(child = infer.child)
    case aggregate @ Aggregate(_, _, infer: Infer, _)
        if !aggregate.references.contains(infer.result) =>
      aggregate.copy(child = infer.child)

    case filter @ Filter(condition, infer: Infer) =>
      val (always, random) = splitConjunctivePredicates(condition).partition(_.deterministic)
      val (below, above) = always.partition(_.references.subsetOf(infer.child.outputSet))
      if (below.isEmpty) filter
      else {
        val inferred = infer.copy(child = Filter(below.reduce(And.apply), infer.child))
        (above ++ random).reduceOption(And.apply).fold[LogicalPlan](inferred)(Filter(_, inferred))
      }

    case limit @ GlobalLimit(IntegerLiteral(n), LocalLimit(_, sort @ Sort(_, true, _, _)))
        if n <= Page =>
      pageBelow(sort, sorted => limit.copy(child = LocalLimit(limit.limitExpr, sorted)))
        .getOrElse(limit)

    case limit @ LocalLimit(n, infer: Infer) => limit.copy(child = limited(n, infer))
    case limit @ LocalLimit(n, project @ Project(_, infer: Infer)) =>
      limit.copy(child = project.copy(child = limited(n, infer)))
  }

  /** The first rows by columns that need no inference are found before it. */
  private def pageBelow(sort: Sort, page: LogicalPlan => LogicalPlan): Option[LogicalPlan] = {
    def below(infer: Infer, order: Seq[SortOrder]): Option[Infer] =
      Option.when(
        order.forall(o => o.deterministic && o.references.subsetOf(infer.child.outputSet))
      ) {
        infer.copy(child = page(sort.copy(order = order, child = infer.child)))
      }
    sort.child match {
      case infer: Infer => below(infer, sort.order)
      case project @ Project(list, infer: Infer) if list.forall(_.deterministic) =>
        val aliases = getAliasMap(project)
        val order = sort.order.map(o => o.copy(child = replaceAlias(o.child, aliases)))
        below(infer, order).map(inferred => project.copy(child = inferred))
      case _ => None
    }
  }

  private def limited(limit: Expression, infer: Infer): Infer =
    (limit, infer.child.maxRowsPerPartition) match {
      case (IntegerLiteral(n), Some(most)) if most <= n => infer
      case (_: Literal, _) => infer.copy(child = LocalLimit(limit, infer.child))
      case _ => infer
    }
}
