package org.apache.spark.sql.sightline

import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.classic.ExpressionUtils
import org.apache.spark.sql.expressions.UserDefinedFunction

/** Between the columns of Spark's public API and the expressions of its plans. */
object Expressions {

  /** The call of a Scala function as an expression. */
  def call(function: UserDefinedFunction, argument: Expression): Expression =
    ExpressionUtils.expression(function(ExpressionUtils.column(argument)))

  /** Where relative paths start in this session: its default file system's working folder. */
  def workingFolder(spark: SparkSession): String = {
    val fs = new Path(".").getFileSystem(spark.sessionState.newHadoopConf())
    fs.getWorkingDirectory.toString
  }
}
