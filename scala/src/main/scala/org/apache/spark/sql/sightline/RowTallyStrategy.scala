package org.apache.spark.sql.sightline

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, AttributeSet, SortOrder}
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, UnaryNode}
import org.apache.spark.sql.catalyst.plans.physical.Partitioning
import org.apache.spark.sql.execution.metric.{SQLMetric, SQLMetrics}
import org.apache.spark.sql.execution.{SparkPlan, SparkStrategy, UnaryExecNode}

/** Plans a [[RowTally]]; the session extensions register it. */
object RowTallyStrategy extends SparkStrategy {
  override def apply(plan: LogicalPlan): Seq[SparkPlan] = plan match {
    case RowTallyPlan(column, counts, child) =>
      Seq(RowTallyExec(column, counts, planLater(child)))
    case _ => Nil
  }
}

final private[sightline] case class RowTallyPlan(
    errorColumn: String,
    counts: RowCounts,
    child: LogicalPlan,
) extends UnaryNode {
  override def output: Seq[Attribute] = child.output
  // All columns, so that Spark does not prune the error column.
  override lazy val references: AttributeSet = child.outputSet
  override protected def withNewChildInternal(newChild: LogicalPlan): LogicalPlan =
    copy(child = newChild)
}

final private[sightline] case class RowTallyExec(
    errorColumn: String,
    counts: RowCounts,
    child: SparkPlan,
) extends UnaryExecNode {

  override lazy val metrics: Map[String, SQLMetric] =
    (RowTally.Rows +: counts.codes.map(RowTally.errors))
      .map(name => name -> SQLMetrics.createMetric(sparkContext, name))
      .toMap

  override def output: Seq[Attribute] = child.output
  override def outputPartitioning: Partitioning = child.outputPartitioning
  override def outputOrdering: Seq[SortOrder] = child.outputOrdering

  override protected def doExecute(): RDD[InternalRow] = {
    val rows = longMetric(RowTally.Rows)
    val byCode =
      counts.codes.map(code => code -> longMetric(RowTally.errors(code))).toMap
    val ordinal = output.indexWhere(_.name == errorColumn)
    val exact = counts
    val columns = output
    child
      .execute()
      .mapPartitionsInternal { partition =>
        if (partition.hasNext) exact.addTask()
        val addLabel = exact.labels.map(_.adder(columns))
        partition.map { row =>
          rows += 1
          exact.addRow()
          val failed = !row.isNullAt(ordinal)
          addLabel.foreach(_(row, failed))
          if (failed) {
            val code = row.getStruct(ordinal, 3).getUTF8String(0).toString
            byCode.get(code).foreach(_ += 1)
            exact.addError(code)
          }
          row
        }
      }
  }

  override protected def withNewChildInternal(newChild: SparkPlan): SparkPlan =
    copy(child = newChild)
}
