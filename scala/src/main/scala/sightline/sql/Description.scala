package sightline.sql

import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.expressions.{Expression, ExpressionInfo}
import org.apache.spark.sql.sightline.AnalysisErrors

import sightline.BuildInfo

/** A SQL function as the session extensions register it. */
object Description {

  /**
   * @param owner the object that builds the calls
   * @param usage what DESCRIBE FUNCTION says; `_FUNC_` stands for the name
   * @param group Spark's list of groups has it
   * @param build makes a call of its arguments; our own errors become errors of analysis
   */
  def apply[A](owner: AnyRef, name: String, usage: String, group: String)(
      build: Seq[Expression] => A
  ): (FunctionIdentifier, ExpressionInfo, Seq[Expression] => A) = {
    val info = new ExpressionInfo(
      owner.getClass.getName,
      None.orNull,
      name,
      usage,
      "",
      "",
      "",
      group,
      BuildInfo.version,
      "",
      "scala_udf",
    )
    (FunctionIdentifier(name), info, arguments => AnalysisErrors.analysed(build(arguments)))
  }
}
