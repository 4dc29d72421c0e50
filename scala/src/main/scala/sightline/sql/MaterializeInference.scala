package sightline.sql

import org.apache.spark.sql.catalyst.expressions.{Alias, DirectShufflePartitionID, SparkPartitionID}
import org.apache.spark.sql.catalyst.optimizer.{BuildLeft, BuildRight}
import org.apache.spark.sql.catalyst.plans.physical.{
  RangePartitioning,
  ShufflePartitionIdPassThrough,
}
import org.apache.spark.sql.catalyst.plans.{FullOuter, LeftOuter, RightOuter}
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.execution.exchange.{Exchange, ShuffleExchangeExec}
import org.apache.spark.sql.execution.joins.{BroadcastNestedLoopJoinExec, CartesianProductExec}
import org.apache.spark.sql.execution.{ColumnarRule, ProjectExec, SparkPlan}
import org.apache.spark.sql.sightline.WorkerErrorsExec

/**
 * Shuffles inferred rows below an operator that runs its input more than once, so that a second run
 * reads them from the shuffle's files.
 *
 * Range partitioning (of ORDER BY, sorted writes, `repartitionByRange`) runs its input once to sample
 * the keys and once to shuffle the rows; a Cartesian product runs each side's partition once for each
 * partition of the other side; an outer join by nested loops that keeps unmatched rows of its broadcast
 * side runs the other side once for its own rows and once to find those.
 */
object MaterializeInference extends Rule[SparkPlan] {

  /** For plans that Spark does not adapt while they run. */
  val columnar: ColumnarRule = new ColumnarRule {
    override def preColumnarTransitions: Rule[SparkPlan] = MaterializeInference
  }

  override def apply(plan: SparkPlan): SparkPlan = plan.transformUp {
    case range @ ShuffleExchangeExec(_: RangePartitioning, child, _, _) if infers(child) =>
      range.copy(child = shuffled(child))
    case join if runsInputAgain(join) && join.children.exists(infers) =>
      join.withNewChildren(
        join.children.map(child => if (infers(child)) shuffled(child) else child)
      )
  }

  private def runsInputAgain(join: SparkPlan): Boolean = join match {
    case _: CartesianProductExec => true
    case loop: BroadcastNestedLoopJoinExec =>
      (loop.joinType, loop.buildSide) match {
        case (FullOuter, _) | (LeftOuter, BuildLeft) | (RightOuter, BuildRight) => true
        case _ => false
      }
    case _ => false
  }

  /** Whether running the plan again runs a model again: there is no exchange between. */
  private def infers(plan: SparkPlan): Boolean = plan match {
    case _: Exchange => false
    case _: WorkerErrorsExec => true
    case other => other.children.exists(infers)
  }

  /**
   * Each row goes where its partition's number says: a task that is run again, after a lost node,
   * gives each reader the rows that it gave before, in whatever order it reads them.
   */
  private def shuffled(plan: SparkPlan): SparkPlan = {
    val partition = Alias(SparkPartitionID(), "partition")()
    val rows = ShuffleExchangeExec(
      ShufflePartitionIdPassThrough(
        DirectShufflePartitionID(partition.toAttribute),
        conf.numShufflePartitions,
      ),
      ProjectExec(plan.output :+ partition, plan),
    )
    val kept = ProjectExec(plan.output, rows)
    // By it adaptive execution finds what the shuffle stands for in the logical plan.
    plan
      .collectFirst { case node if node.logicalLink.isDefined => node.logicalLink.get }
      .foreach(kept.setLogicalLink)
    kept
  }
}
