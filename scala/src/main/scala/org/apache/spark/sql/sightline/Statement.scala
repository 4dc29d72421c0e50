package org.apache.spark.sql.sightline

import org.apache.spark.sql.catalyst.expressions.Attribute
import org.apache.spark.sql.catalyst.types.DataTypeUtils.toAttributes
import org.apache.spark.sql.execution.command.LeafRunnableCommand
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.{Row, SparkSession}

/** A SQL statement that the driver runs, such as CREATE MODEL. */
trait Statement {

  /** The columns of the result; none for a statement without a result. */
  def columns: StructType

  /** Runs the statement and returns the rows of its result. */
  def run(spark: SparkSession): Seq[Row]
}

/** A [[Statement]] as a command that Spark plans and runs. */
final private[sightline] case class StatementCommand(statement: Statement)
    extends LeafRunnableCommand {

  override val output: Seq[Attribute] = toAttributes(statement.columns)

  override def run(spark: SparkSession): Seq[Row] = AnalysisErrors.analysed(statement.run(spark))
}
