package sightline.sql

import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.parser.{
  HybridParameterContext,
  NamedParameterContext,
  ParameterContext,
  PositionalParameterContext,
}
import org.apache.spark.sql.types.StringType

/**
 * What the markers of a statement, `:name` and `?`, stand for.
 *
 * @param positional is used up from left to right
 */
final class StatementParameters private (
    named: Map[String, Expression],
    positional: Iterator[Expression],
) {

  /** The text that `:name` stands for; None if there is no such parameter, or it is no text. */
  def text(name: String): Option[String] = named.get(name).flatMap(read)

  /** The text that the next `?` stands for. */
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
      // EXECUTE IMMEDIATE … USING: a statement has markers of one of the two kinds.
      val named = names.zip(values).filter { case (name, _) => name.nonEmpty }
      new StatementParameters(named.toMap, values.iterator)
    case _ => none
  }
}
