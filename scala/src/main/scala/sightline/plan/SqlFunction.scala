package sightline.plan

import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.expressions.{Expression, ExpressionInfo}
import org.apache.spark.sql.sightline.AnalysisErrors

import sightline.BuildInfo

/** Describes a SQL function in the form in which the session extensions register it. */
object Description {

  /**
   * @param owner the object that builds the calls
   * @param usage the text for DESCRIBE FUNCTION; `_FUNC_` is replaced by the name
   * @param group one of Spark's function groups
   * @param build makes a call from its arguments; Sightline's errors become analysis errors
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
