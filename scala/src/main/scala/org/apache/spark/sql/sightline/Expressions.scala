package org.apache.spark.sql.sightline

import org.apache.spark.sql.Column
import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.classic.ExpressionUtils

/** Converts between columns of Spark's public API and expressions of its plans. */
object Expressions {

  /** A column whose expression is the result of `around` for the expression of `column`. */
  def mapped(column: Column)(around: Expression => Expression): Column =
    ExpressionUtils.column(around(ExpressionUtils.expression(column)))
}
