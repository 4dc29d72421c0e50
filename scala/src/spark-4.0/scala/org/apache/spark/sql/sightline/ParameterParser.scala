package org.apache.spark.sql.sightline

import org.apache.spark.sql.catalyst.parser.ParserInterface
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan

/**
 * The part of a parser that depends on how Spark passes the values of parameter markers. Spark 4.0 adds
 * them after the parser, so a Sightline statement cannot have any.
 */
private[sightline] trait ParameterParser extends ParserInterface {

  protected def spark: ParserInterface

  protected def parse(text: String, parameters: => StatementParameters)(
      others: String => LogicalPlan
  ): LogicalPlan
}
