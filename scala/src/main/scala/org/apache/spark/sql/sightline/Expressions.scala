package org.apache.spark.sql.sightline

import org.apache.spark.sql.Column
import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.classic.ExpressionUtils

/** Between the columns of Spark's public API and the expressions of its plans. */
object Expressions {

  /** `column` with an expression of ours around its own. */
  def mapped(column: Column)(around: Expression => Expression): Column =
    ExpressionUtils.column(around(ExpressionUtils.expression(column)))
}
