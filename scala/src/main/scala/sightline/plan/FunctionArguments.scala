package sightline.plan

import java.util.Locale

import org.apache.spark.sql.catalyst.expressions.*
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.catalyst.util.{ArrayData, MapData}
import org.apache.spark.sql.types.{MapType, StringType}

import sightline.SightlineException

/**
 * The arguments of one call of a SQL function, given by position, by name, or both.
 *
 * @param function the function's name, for errors
 * @param inputs the values for a model's inputs, with their names if they are given by name; empty
 *   for a function without inputs
 */
final class FunctionArguments private (
    function: String,
    values: Map[String, Expression],
    val inputs: Seq[(Option[String], Expression)],
) {

  /** The value of an argument; None if it is omitted. */
  def get(parameter: String): Option[Expression] = values.get(parameter)

  /** The value of a required argument. */
  def required(parameter: String): Expression = values(parameter)

  /**
   * An argument that must be a literal text, because its value is needed before the query runs.
   *
   * @throws SightlineException WRONG_ARGUMENTS
   */
  def literalText(parameter: String): String = {
    val value = required(parameter)
    Option
      .when(value.foldable && value.dataType.isInstanceOf[StringType])(Option(value.eval()))
      .flatten
      .getOrElse(throw wrong(s"its $parameter must be a literal text, not ${value.sql}."))
      .toString
  }

  /**
   * The text of an optional literal; None if it is omitted or NULL.
   *
   * @throws SightlineException WRONG_ARGUMENTS
   */
  def optionalLiteral(parameter: String): Option[String] = get(parameter).flatMap { value =>
    if (value.foldable) Option(value.eval()).map(_.toString)
    else throw wrong(s"its $parameter must be a literal, not ${value.sql}.")
  }

  /**
   * An argument that must be a table, `TABLE(…)`.
   *
   * @throws SightlineException WRONG_ARGUMENTS
   */
  def table(parameter: String): LogicalPlan = required(parameter) match {
    case table: FunctionTableSubqueryArgumentExpression
        if table.hasRepartitioning || table.orderByExpressions.nonEmpty =>
      throw wrong(
        "TABLE(…) takes no PARTITION BY, ORDER BY or WITH SINGLE PARTITION: the function does not " +
          "move rows between partitions."
      )
    case table: FunctionTableSubqueryArgumentExpression => table.plan
    case _ =>
      throw wrong("its first argument must be a table: TABLE(images) or TABLE(SELECT …).")
  }

  /** The names and values of the literal map `options`; empty if it is omitted. */
  def options: Map[String, String] = get("options").fold(Map.empty[String, String]) { options =>
    val texts = options.dataType match {
      case _: MapType if options.foldable =>
        Option(Cast(options, MapType(StringType, StringType)).eval())
      case _ =>
        throw wrong(
          s"its options must be a literal map, such as map('top_k', '3'), not ${options.sql}."
        )
    }
    def strings(data: ArrayData): Seq[String] =
      data.toSeq[Any](StringType).map(value => Option(value).fold("")(_.toString))
    texts.fold(Map.empty[String, String]) {
      case data: MapData => strings(data.keyArray()).zip(strings(data.valueArray())).toMap
      case other => throw new IllegalArgumentException(s"not a map: $other")
    }
  }

  /** The error WRONG_ARGUMENTS; `why` is a sentence that starts with a lower-case letter. */
  def wrong(why: String): SightlineException = FunctionArguments.wrong(function, why)
}

object FunctionArguments {

  /**
   * Assigns a call's arguments to the function's parameters.
   *
   * @param parameters the names of all parameters, the required ones first
   * @param required the number of required parameters
   * @param takesInputs whether a model's inputs follow the required parameters. Then the optional ones
   *   are given by name, but `options` may also be a map at the end.
   * @throws SightlineException WRONG_ARGUMENTS
   */
  def apply(
      function: String,
      parameters: Seq[String],
      required: Int,
      arguments: Seq[Expression],
      takesInputs: Boolean = false,
  ): FunctionArguments = {
    val (always, maybe) = parameters.splitAt(required)
    val usage = (always ++ Option.when(takesInputs)("input…")).mkString("(", ", ", "") +
      maybe.map(name => s"[, $name]").mkString + ")"
    val all = arguments.map {
      case NamedArgumentExpression(name, value) => Some(name) -> unnamed(value)
      case value => None -> unnamed(value)
    }
    val (positional, named) = all.span { case (name, _) => name.isEmpty }
    if (named.exists { case (name, _) => name.isEmpty }) {
      throw wrong(function, s"an argument without a name follows one with a name; it takes $usage.")
    }
    // A map cannot be an input.
    val hasOptions =
      takesInputs && positional.lastOption.exists(_._2.dataType.isInstanceOf[MapType])
    val (before, options) = positional.splitAt(positional.size - (if (hasOptions) 1 else 0))
    val (known, other) = named.partition { case (name, _) => name.exists(isIn(parameters, _)) }
    val byPosition = if (takesInputs) before.take(required) else before
    if (byPosition.size > parameters.size) {
      throw wrong(function, s"it takes $usage, not ${arguments.size}.")
    }
    if (!takesInputs) other.flatMap(_._1).headOption.foreach { name =>
      throw wrong(function, s"'$name' is no parameter; it takes $usage.")
    }
    val pairs = parameters.zip(byPosition.map(_._2)) ++ options.map("options" -> _._2) ++
      known.map { case (name, value) => name.fold("")(_.toLowerCase(Locale.ROOT)) -> value }
    val names = pairs.map { case (name, _) => name }
    names.diff(names.distinct).headOption.foreach { name =>
      throw wrong(function, s"'$name' is given twice; it takes $usage.")
    }
    val values = pairs.toMap
    always.find(!values.contains(_)).foreach { name =>
      throw wrong(function, s"its $name is missing; it takes $usage.")
    }
    new FunctionArguments(function, values, before.drop(byPosition.size) ++ other)
  }

  private def isIn(parameters: Seq[String], name: String): Boolean =
    parameters.exists(_.equalsIgnoreCase(name))

  /** The analyzer wraps what it resolves, such as a variable, in an alias, even in arguments in FROM. */
  private def unnamed(value: Expression): Expression = value match {
    case named: Alias => named.child
    case other => other
  }

  private def wrong(function: String, why: String): SightlineException =
    SightlineException("WRONG_ARGUMENTS", "subject" -> function, "reason" -> why)
}
