package org.apache.spark.sql.sightline

import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.parser.{
  HybridParameterContext,
  NamedParameterContext,
  ParameterContext,
  PositionalParameterContext,
}
import org.apache.spark.sql.types.StringType

/**
 * The values of a statement's parameter markers, `:name` and `?`.
 *
 * @param positional values for `?`, consumed from left to right
 */
final class StatementParameters private (
    named: Map[String, Expression],
    positional: Iterator[Expression],
) {

  /** The text value of `:name`; None if there is no such parameter, or its value is not a text. */
  def text(name: String): Option[String] = named.get(name).flatMap(read)

  /** The text value of the next `?`; None if there is none left, or its value is not a text. */
  def next(): Option[String] = positional.nextOption().flatMap(read)

  private def read(value: Expression): Option[String] =
    Option
      .when(value.foldable && value.dataType.isInstanceOf[StringType])(Option(value.eval()))
      .flatten
      .map(_.toString)
}

object StatementParameters {

  val none: StatementParameters = new StatementParameters(Map.empty, Iterator.empty)

  def apply(context: ParameterContext): StatementParameters = context match {
    case NamedParameterContext(values) => new StatementParameters(values, Iterator.empty)
    case PositionalParameterContext(values) => new StatementParameters(Map.empty, values.iterator)
    case HybridParameterContext(values, names) =>
      // EXECUTE IMMEDIATE … USING: a statement has only one of the two kinds of markers.
      val named = names.zip(values).filter { case (name, _) => name.nonEmpty }
      new StatementParameters(named.toMap, values.iterator)
    case _ => none
  }
}
