package org.apache.spark.sql.sightline

import org.apache.spark.sql.catalyst.parser.{
  HybridParameterContext,
  NamedParameterContext,
  ParameterContext,
  ParserInterface,
  PositionalParameterContext,
}
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan

/** The part of a parser that depends on how Spark passes the values of parameter markers. */
private[sightline] trait ParameterParser extends ParserInterface {

  protected def spark: ParserInterface

  protected def parse(text: String, parameters: => StatementParameters)(
      others: String => LogicalPlan
  ): LogicalPlan

  override def parsePlanWithParameters(text: String, context: ParameterContext): LogicalPlan =
    parse(text, values(context))(spark.parsePlanWithParameters(_, context))

  private def values(context: ParameterContext): StatementParameters = context match {
    case NamedParameterContext(values) => StatementParameters(values, Nil)
    case PositionalParameterContext(values) => StatementParameters(Map.empty, values)
    case HybridParameterContext(values, names) =>
      // EXECUTE IMMEDIATE … USING: a statement has only one of the two kinds of markers.
      StatementParameters(
        names.zip(values).filter { case (name, _) => name.nonEmpty }.toMap,
        values,
      )
    case _ => StatementParameters.none
  }
}
