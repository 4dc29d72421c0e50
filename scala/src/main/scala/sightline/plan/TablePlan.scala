package sightline.plan

import org.apache.spark.sql.catalyst.analysis.MultiInstanceRelation
import org.apache.spark.sql.catalyst.expressions.{Alias, Attribute}
import org.apache.spark.sql.catalyst.plans.logical.{AnalysisHelper, LeafNode, LogicalPlan, Project}
import org.apache.spark.sql.sightline.PlanFrame
import org.apache.spark.sql.{DataFrame, SparkSession}

/**
 * Evaluates a function of frames on the tables of a table function. A table may refer to a WITH of the
 * query, which is not in a frame. So the frames are of placeholders, which are replaced in the result.
 */
object TablePlan {

  /** The plan of `result` for frames with the columns of `tables`. */
  def of(spark: SparkSession, tables: Seq[LogicalPlan])(
      result: Seq[DataFrame] => DataFrame
  ): LogicalPlan = {
    val frames = tables.zipWithIndex.map { case (table, index) =>
      PlanFrame(spark, TablePlaceholder(index, table.output))
    }
    val plan = PlanFrame.plan(result(frames))
    AnalysisHelper.allowInvokingTransformsInAnalyzer {
      plan.transformDownWithSubqueries { case TablePlaceholder(index, output) =>
        val table = tables(index)
        if (output == table.output) table
        else {
          // Another use of the table, whose columns Spark has given other ids.
          Project(
            table.output.zip(output).map { case (column, copy) =>
              Alias(column, copy.name)(copy.exprId, copy.qualifier)
            },
            table,
          )
        }
      }
    }
  }
}

/** Stands for a table while a plan on it is made. */
final private case class TablePlaceholder(index: Int, override val output: Seq[Attribute])
    extends LeafNode
    with MultiInstanceRelation {
  override def newInstance(): LogicalPlan = copy(output = output.map(_.newInstance()))
}
