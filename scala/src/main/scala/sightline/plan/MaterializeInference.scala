package sightline.plan

import org.apache.spark.sql.catalyst.expressions.{Alias, SparkPartitionID}
import org.apache.spark.sql.catalyst.optimizer.{BuildLeft, BuildRight}
import org.apache.spark.sql.catalyst.plans.physical.RangePartitioning
import org.apache.spark.sql.catalyst.plans.{FullOuter, LeftOuter, RightOuter}
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.execution.exchange.{Exchange, ShuffleExchangeExec}
import org.apache.spark.sql.execution.joins.{BroadcastNestedLoopJoinExec, CartesianProductExec}
import org.apache.spark.sql.execution.{ColumnarRule, ProjectExec, SparkPlan}
import org.apache.spark.sql.sightline.{PartitionNumbers, WorkerErrorsExec}

/**
 * Adds a shuffle of inferred rows below an operator that runs its input more than once. The second
 * run then reads the rows from the shuffle's files, without new inference.
 *
 * Range partitioning (of ORDER BY, sorted writes, `repartitionByRange`) runs its input once to
 * sample the keys and once to shuffle the rows. A Cartesian product runs each side's partition once
 * for each partition of the other side. An outer nested-loop join that keeps unmatched rows of its
 * broadcast side runs the other side once for its own rows and once to find the unmatched rows.
 */
object MaterializeInference extends Rule[SparkPlan] {

  /** Applies the rule to plans without adaptive execution. */
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

  /** Whether running the plan again runs a model again: there is no exchange above the inference. */
  private def infers(plan: SparkPlan): Boolean = plan match {
    case _: Exchange => false
    case _: WorkerErrorsExec => true
    case other => other.children.exists(infers)
  }

  /**
   * Adds a shuffle that keeps the rows of a partition together.
   * If a task runs again after a node is lost, each reader gets the same rows as before, in any
   * order.
   */
  private def shuffled(plan: SparkPlan): SparkPlan = {
    val partition = Alias(SparkPartitionID(), "partition")()
    val rows = ShuffleExchangeExec(
      PartitionNumbers.partitioning(partition.toAttribute, conf.numShufflePartitions),
      ProjectExec(plan.output :+ partition, plan),
    )
    val kept = ProjectExec(plan.output, rows)
    // Adaptive execution uses this link to find the shuffle's node in the logical plan.
    plan
      .collectFirst { case node if node.logicalLink.isDefined => node.logicalLink.get }
      .foreach(kept.setLogicalLink)
    kept
  }
}
