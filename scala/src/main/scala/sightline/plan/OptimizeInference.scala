package sightline.plan

import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.plans.logical.*
import org.apache.spark.sql.catalyst.rules.Rule

/**
 * Pushes limits and filters on other columns below an [[Infer]], and removes an [[Infer]] whose
 * result is not used, and the results of a combined call that are not used.
 *
 * It runs with the optimizer's own rules, which do the same for Spark's nodes.
 */
object OptimizeInference extends Rule[LogicalPlan] with PredicateHelper with AliasHelper {

  // The largest limit for a page of a table. The rows of a limit are in one partition, so one task
  // would run the inference of all of them.
  private val Page = 1000

  override def apply(plan: LogicalPlan): LogicalPlan = plan.transform {
    case project @ Project(_, infer: Infer) if !project.references.contains(infer.result) =>
      project.copy(child = infer.child)
    case aggregate @ Aggregate(_, _, infer: Infer, _)
        if !aggregate.references.contains(infer.result) =>
      aggregate.copy(child = infer.child)
    case project @ Project(_, infer: Infer) =>
      CombinedCalls.narrowed(project, infer).getOrElse(project)

    case filter @ Filter(condition, infer: Infer) =>
      val (always, random) = splitConjunctivePredicates(condition).partition(_.deterministic)
      val (below, above) = always.partition(_.references.subsetOf(infer.child.outputSet))
      if (below.isEmpty) filter
      else {
        val inferred = infer.copy(child = Filter(below.reduce(And.apply), infer.child))
        (above ++ random).reduceOption(And.apply).fold[LogicalPlan](inferred)(Filter(_, inferred))
      }

    case limit @ GlobalLimit(IntegerLiteral(_), local @ LocalLimit(IntegerLiteral(n), sorted))
        if n <= Page =>
      pageBelow(sorted, sort => limit.copy(child = local.copy(child = sort))).getOrElse(limit)
    case limit @ GlobalLimit(
          IntegerLiteral(_),
          offset @ Offset(_, local @ LocalLimit(IntegerLiteral(n), sorted)),
        ) if n <= Page =>
      def page(sort: LogicalPlan): LogicalPlan =
        limit.copy(child = offset.copy(child = local.copy(child = sort)))
      pageBelow(sorted, page).getOrElse(limit)

    case limit @ LocalLimit(n, infer: Infer) => limit.copy(child = limited(n, infer))
    case limit @ LocalLimit(n, project @ Project(_, infer: Infer)) =>
      limit.copy(child = project.copy(child = limited(n, infer)))
  }

  /** Sorts and limits the rows below inference, if the sort order does not use the model's answer. */
  private def pageBelow(
      sorted: LogicalPlan,
      page: LogicalPlan => LogicalPlan,
  ): Option[LogicalPlan] = {
    def below(infer: Infer, sort: Sort, order: Seq[SortOrder]): Option[Infer] =
      Option.when(
        order.forall(o => o.deterministic && o.references.subsetOf(infer.child.outputSet))
      ) {
        infer.copy(child = page(sort.copy(order = order, child = infer.child)))
      }
    sorted match {
      // The projection removes the columns that the rows are sorted by.
      case project @ Project(list, sort: Sort) if list.forall(_.deterministic) =>
        pageBelow(sort, page).map(rows => project.copy(child = rows))
      case sort @ Sort(order, true, infer: Infer, _) => below(infer, sort, order)
      case sort @ Sort(_, true, project @ Project(list, infer: Infer), _)
          if list.forall(_.deterministic) =>
        val aliases = getAliasMap(project)
        val order = sort.order.map(o => o.copy(child = replaceAlias(o.child, aliases)))
        below(infer, sort, order).map(inferred => project.copy(child = inferred))
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
