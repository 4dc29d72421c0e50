package sightline.plan

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.expressions.Attribute
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, UnaryNode}
import org.apache.spark.sql.sightline.CachedData

/**
 * Keeps the extraction of a call from changing a part of the plan that the user has cached. Spark
 * would not recognise the changed part, and would read the files again.
 */
private[plan] object CachedRows {

  /** A part of a plan that the extraction must not change. The extraction removes this node. */
  final private case class Kept(child: LogicalPlan) extends UnaryNode {
    override def output: Seq[Attribute] = child.output
    override protected def withNewChildInternal(newChild: LogicalPlan): Kept = copy(newChild)
  }

  /**
   * Extracts the calls of a plan so that the query uses the most of the cached data.
   *
   * A plan that was cached earlier has the form that fitted the cached data of that time, so each
   * form is tried: with the cached parts of now, with none, and with every operator's input kept.
   *
   * @param extract extracts the calls, and keeps each part that the given function keeps
   */
  def most(spark: SparkSession)(
      extract: (LogicalPlan => LogicalPlan) => LogicalPlan
  ): LogicalPlan = {
    def form(isKept: LogicalPlan => Boolean): LogicalPlan = shown(extract(keep(_, isKept)))
    if (CachedData.isEmpty(spark)) form(_ => false)
    else {
      Seq[LogicalPlan => Boolean](CachedData.contains(spark, _), _ => false, _ => true)
        .map(form)
        .minBy(inferences(spark, _))
    }
  }

  private def keep(plan: LogicalPlan, isKept: LogicalPlan => Boolean): LogicalPlan = plan match {
    case kept: Kept => kept
    case part if isKept(shown(part)) => Kept(part)
    case part if KnownAnswers.passes(part) =>
      part.withNewChildren(part.children.map(keep(_, isKept)))
    case part => part
  }

  private def shown(plan: LogicalPlan): LogicalPlan =
    plan.transformUpWithSubqueries { case Kept(part) => part }

  /** The number of inferences that the cached data do not answer. */
  private def inferences(spark: SparkSession, plan: LogicalPlan): Int = {
    val shared = new ShareInference(spark)(InputFileColumns(plan))
    CachedData.in(spark, shared).collectWithSubqueries { case infer: Infer => infer }.size
  }
}
