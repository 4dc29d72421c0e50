package org.apache.spark.sql.sightline

import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.parser.ParserInterface
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.catalyst.{FunctionIdentifier, TableIdentifier}
import org.apache.spark.sql.types.{DataType, StructType}

/** The syntax of statements that Spark's own parser does not support. */
trait StatementSyntax {

  /** The statement in a text; None if the text is a statement of Spark. */
  def statement(text: String, parameters: => StatementParameters): Option[Statement]

  /** A script, `BEGIN … END`, that contains such statements; None for other texts. */
  def script(text: String, parameters: => StatementParameters): Option[ScriptText]
}

/**
 * A script in which a [[StatementPlaceholder]] replaces each statement that Spark's parser does not
 * support.
 *
 * @param statements the name of each placeholder to the statement that it replaces
 */
final case class ScriptText(text: String, statements: Map[String, Statement])

/** Spark's SQL parser, extended by the statements of `syntax`. */
final class StatementParser(
    override protected val spark: ParserInterface,
    syntax: StatementSyntax,
) extends ParameterParser {

  override def parsePlan(text: String): LogicalPlan =
    parse(text, StatementParameters.none)(spark.parsePlan)

  override protected def parse(text: String, parameters: => StatementParameters)(
      others: String => LogicalPlan
  ): LogicalPlan =
    syntax
      .statement(text, parameters)
      .map(StatementCommand(_))
      .orElse(syntax.script(text, parameters).map { script =>
        StatementPlaceholder.replaced(others(script.text), script.statements)
      })
      .getOrElse(others(text))

  override def parseExpression(text: String): Expression = spark.parseExpression(text)

  override def parseTableIdentifier(text: String): TableIdentifier =
    spark.parseTableIdentifier(text)

  override def parseFunctionIdentifier(text: String): FunctionIdentifier =
    spark.parseFunctionIdentifier(text)

  override def parseMultipartIdentifier(text: String): Seq[String] =
    spark.parseMultipartIdentifier(text)

  override def parseQuery(text: String): LogicalPlan = spark.parseQuery(text)

  override def parseRoutineParam(text: String): StructType = spark.parseRoutineParam(text)

  override def parseDataType(text: String): DataType = spark.parseDataType(text)

  override def parseTableSchema(text: String): StructType = spark.parseTableSchema(text)
}
