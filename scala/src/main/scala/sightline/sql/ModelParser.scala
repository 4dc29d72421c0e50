package sightline.sql

import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.parser.{ParameterContext, ParserInterface}
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.catalyst.{FunctionIdentifier, TableIdentifier}
import org.apache.spark.sql.types.{DataType, StructType}

/**
 * Parses the statements on models, alone or inside `BEGIN … END`, and passes everything else to
 * Spark's own parser.
 */
final class ModelParser(spark: ParserInterface) extends ParserInterface {

  override def parsePlan(text: String): LogicalPlan =
    parse(text, StatementParameters.none)(spark.parsePlan)

  override def parsePlanWithParameters(text: String, parameters: ParameterContext): LogicalPlan =
    parse(text, StatementParameters(parameters))(spark.parsePlanWithParameters(_, parameters))

  private def parse(text: String, parameters: => StatementParameters)(
      others: String => LogicalPlan
  ): LogicalPlan =
    ModelStatement
      .parse(text, parameters)
      .orElse(ModelScript.parse(text, parameters)(others))
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
