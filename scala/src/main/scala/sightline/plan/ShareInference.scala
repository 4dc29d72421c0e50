package sightline.plan

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.analysis.{EliminateSubqueryAliases, EliminateView}
import org.apache.spark.sql.catalyst.expressions.{ExprId, OuterReference, SubqueryExpression}
import org.apache.spark.sql.catalyst.optimizer.{
  CollapseProject,
  ColumnPruning,
  InlineCTE,
  PushDownPredicates,
}
import org.apache.spark.sql.catalyst.plans.logical.*
import org.apache.spark.sql.catalyst.rules.{Rule, RuleExecutor}
import org.apache.spark.sql.sightline.CachedData

/**
 * Replaces equal inferences in a plan by one, such as both sides of a join of a view with itself,
 * or a query and its subquery. The inference becomes a common table expression (CTE) that Spark
 * does not inline, but computes once and shuffles.
 *
 * Spark's own rules for CTEs then find the columns and rows that the uses need. If Spark cannot
 * reuse an exchange (`spark.sql.exchange.reuse=false`), a CTE would be computed for each use, so
 * nothing is shared.
 */
final class ShareInference(spark: SparkSession) extends Rule[LogicalPlan] {

  import ShareInference.*

  override def apply(plan: LogicalPlan): LogicalPlan = plan match {
    case command: Command => command.mapChildren(apply)
    case query if !spark.sessionState.conf.exchangeReuseEnabled || inferences(query).isEmpty =>
      query
    case query => stable(query)
  }

  /**
   * Repeats the sharing, because two inferences can become equal when the inferences below them are
   * shared.
   */
  private def stable(query: LogicalPlan): LogicalPlan =
    Iterator
      .iterate(query -> share(query)) { case (_, shared) => shared -> share(shared) }
      .take(MostPasses)
      .find { case (before, after) => before == after }
      .map(_._2)
      .getOrElse(share(query))

  private def share(query: LogicalPlan): LogicalPlan = {
    val (body, definitions) = commonTables(query)
    val twice = equalInferences(withCommonTables(body, definitions), definitions.map(_.id).toSet)
    // The numbers are higher than those of earlier passes, because these CTEs may read the earlier
    // ones. Spark expects a CTE to have a higher number than those that it reads.
    val first = definitions.map(_.id).filter(_ < 0).maxOption.fold(FirstId)(_ + 1)
    val idOf = twice.zipWithIndex.flatMap { case (equal, index) =>
      equal.map(_.result.exprId -> (first + index))
    }.toMap

    def refer(plan: LogicalPlan): LogicalPlan = plan.transformWithSubqueries {
      case infer: Infer if idOf.contains(infer.result.exprId) =>
        CTERelationRef(
          idOf(infer.result.exprId),
          _resolved = true,
          infer.output,
          isStreaming = false,
        )
    }
    val shared = twice.zipWithIndex.map { case (equal, index) =>
      val infer = equal.head
      CTERelationDef(infer.copy(child = refer(infer.child), shared = true), id = first + index)
    }
    val others = definitions.map(definition => definition.copy(child = refer(definition.child)))
    withCommonTables(refer(body), inOrder(shared ++ others))
  }

  /**
   * Groups of equal inferences that are worth sharing, innermost first.
   *
   * @param known the CTEs that the inferences can read
   */
  private def equalInferences(query: LogicalPlan, known: Set[Long]): Seq[Seq[Infer]] = {
    val run = CachedData.in(spark, query)
    // Lazy, because most queries contain no equal inferences.
    lazy val wanted = Wanted.in(run)
    inferences(run)
      .filter(standsAlone(_, known))
      .groupBy(_.canonicalized)
      .values
      .filter(_.size > 1)
      .map(_.filter(infer => wanted(infer.result.exprId)))
      .filter(_.size > 1)
      .toSeq
      // The attribute's number breaks ties, so that equal plans get equal numbers.
      .sortBy(equal => (equal.head.collect { case node => node }.size, equal.head.result.exprId.id))
  }
}

private object ShareInference {

  // Differs from every number that the analyzer assigns. It is the same for equal plans, so that
  // Spark finds a cached plan.
  private val FirstId = Int.MinValue.toLong

  private val MostPasses = 10

  private def inferences(plan: LogicalPlan): Seq[Infer] = {
    val below = (plan.children ++ plan.subqueries).flatMap(inferences)
    plan match {
      case infer: Infer if !infer.isStreaming => infer +: below
      case _ => below
    }
  }

  /** Whether the inference gives the same rows in every place of the plan. */
  private def standsAlone(infer: Infer, known: Set[Long]): Boolean =
    reads(infer).diff(defines(infer)).subsetOf(known) && !infer.exists {
      case _: UnionLoopRef => true
      case operator => operator.expressions.exists(_.exists(_.isInstanceOf[OuterReference]))
    }

  /**
   * The query, and the CTEs of its top level and its subqueries that are used more than once and
   * contain inference. Spark inlines all other CTEs; it inlines these too unless they are not
   * deterministic. The CTEs of a part of the query, such as a cached DataFrame, stay in that part.
   */
  private def commonTables(query: LogicalPlan): (LogicalPlan, Seq[CTERelationDef]) = {
    val inlined = InlineCTE()(keptApart(query)).transformWithSubqueries { case infer: Infer =>
      infer.copy(shared = false)
    }
    val ofSubqueries = inlined
      .flatMap(_.subqueries)
      .flatMap(_.collectWithSubqueries { case WithCTE(_, definitions) => definitions })
      .flatten
      .map(definition => definition.copy(child = withoutCommonTables(definition.child)))
    val lifted = inlined.transformAllExpressions { case subquery: SubqueryExpression =>
      subquery.withNewPlan(withoutCommonTables(subquery.plan))
    }
    keptApart(lifted match {
      case WithCTE(body, definitions) => WithCTE(body, definitions ++ ofSubqueries)
      case body => withCommonTables(body, ofSubqueries)
    }) match {
      case WithCTE(body, definitions) => (body, definitions)
      case body => (body, Nil)
    }
  }

  private def withoutCommonTables(plan: LogicalPlan): LogicalPlan =
    plan.transformUpWithSubqueries { case WithCTE(query, _) => query }

  // A definition that contains inference only in a subquery may be inlined: its copies are equal
  // inferences.
  private def keptApart(plan: LogicalPlan): LogicalPlan =
    plan.transformWithSubqueries { case definition: CTERelationDef =>
      definition.copy(child = definition.child.transform { case infer: Infer =>
        infer.copy(shared = true)
      })
    }

  private def withCommonTables(
      query: LogicalPlan,
      definitions: Seq[CTERelationDef],
  ): LogicalPlan = if (definitions.isEmpty) query else WithCTE(query, definitions)

  /** Sorts the definitions so that each one follows those that it reads. */
  private def inOrder(definitions: Seq[CTERelationDef]): Seq[CTERelationDef] = {
    val ids = definitions.map(_.id).toSet
    val (ready, waiting) = definitions.partition(one => reads(one.child).intersect(ids).isEmpty)
    if (ready.isEmpty || waiting.isEmpty) ready ++ waiting else ready ++ inOrder(waiting)
  }

  private def reads(plan: LogicalPlan): Set[Long] =
    plan.collectWithSubqueries { case reference: CTERelationRef => reference.cteId }.toSet

  private def defines(plan: LogicalPlan): Set[Long] =
    plan.collectWithSubqueries { case definition: CTERelationDef => definition.id }.toSet
}

/**
 * Finds the inferences of a plan that are worth sharing: their result is used, and no limit reduces
 * their input to a few rows. It applies the optimizer's rules to a copy of the plan.
 */
private object Wanted extends RuleExecutor[LogicalPlan] {

  private val MostPasses = 20

  override protected def batches: Seq[Batch] = Seq(
    Batch("Eliminate views", Once, EliminateSubqueryAliases, EliminateView),
    Batch(
      "Prune columns and push filters",
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
