package org.apache.spark.sql.sightline

import org.apache.spark.sql.catalyst.expressions.Expression
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

  /**
   * @param named values of `:name`
   * @param positional values of `?`, from left to right
   */
  def apply(named: Map[String, Expression], positional: Seq[Expression]): StatementParameters =
    new StatementParameters(named, positional.iterator)
}
