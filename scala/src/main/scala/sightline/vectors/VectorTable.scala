package sightline.vectors

import org.apache.spark.sql.functions.size
import org.apache.spark.sql.types.{ArrayType, FloatType, StructType}
import org.apache.spark.sql.{Column, DataFrame}

import sightline.SightlineException
import sightline.plan.VectorExpression
import sightline.source.Columns

/** Checks the columns of tables of vectors, for the DataFrame and table functions on them. */
private[vectors] object VectorTable {

  /**
   * A column of a table.
   *
   * @throws SightlineException UNKNOWN_COLUMN or AMBIGUOUS_COLUMN
   */
  def column(function: String, table: DataFrame, name: String): Column = {
    val isSame = table.sparkSession.sessionState.conf.resolver
    val found = table.columns.toSeq.filter(isSame(_, name))
    if (found.size > 1) {
      throw SightlineException(
        "AMBIGUOUS_COLUMN",
        "subject" -> function,
        "column" -> name,
        "found" -> found,
        "hint" -> "Rename or drop all but one of them.",
      )
    }
    if (found.isEmpty) {
      throw SightlineException(
        "UNKNOWN_COLUMN",
        "table" -> s"the table of $function",
        "column" -> name,
        "known" -> table.columns.toSeq,
        "hint" -> "Name the columns by id => 'NAME' and features => 'NAME'.",
      )
    }
    table(Columns.quotedName(name))
  }

  /**
   * A column of vectors.
   *
   * @throws SightlineException UNKNOWN_COLUMN, AMBIGUOUS_COLUMN or WRONG_COLUMN_TYPE
   */
  def vectors(function: String, table: DataFrame, name: String): Column = {
    val found = column(function, table, name)
    typeOf(table.schema, name) match {
      case ArrayType(FloatType, _) => found
      case other =>
        throw SightlineException(
          "WRONG_COLUMN_TYPE",
          "column" -> name,
          "subject" -> function,
          "type" -> other.sql,
          "expected" -> "ARRAY<FLOAT>",
          "hint" -> s"Convert it: CAST($name AS ARRAY<FLOAT>).",
        )
    }
  }

  /** Whether a vector has at least one element, and all its elements are finite numbers. */
  def isFinite(vector: Column): Column =
    // NaN is above all numbers in Spark, and the sum of a vector with a NULL is NULL.
    size(vector) > 0 && VectorExpression.sumOfSquares(vector) < Double.PositiveInfinity

  /** Whether a vector has a direction: it is finite, and not all its elements are 0. */
  def hasDirection(vector: Column): Column =
    isFinite(vector) && VectorExpression.sumOfSquares(vector) > 0

  private def typeOf(schema: StructType, name: String) =
    schema
      .find(_.name == name)
      .orElse(schema.find(_.name.equalsIgnoreCase(name)))
      .map(_.dataType) match {
      case Some(found) => found
      case None => throw new NoSuchElementException(name)
    }
}
