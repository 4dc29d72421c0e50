package sightline.plan

import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.analysis.{FunctionRegistry, TableFunctionRegistry}
import org.apache.spark.sql.catalyst.expressions.{Expression, ExpressionInfo}
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.sightline.AnalysisErrors

import sightline.BuildInfo

/** A SQL function of Sightline. */
sealed trait SqlFunction {

  /** The name by which users call it. */
  val name: String

  /** The text for DESCRIBE FUNCTION; `_FUNC_` stands for the name. */
  protected def usage: String

  /** Names of the parameters, the required ones first. */
  protected def parameters: Seq[String]

  /** The number of required parameters. */
  protected def required: Int

  /** Spark's type of a call: an expression or a logical plan. */
  type Call

  /**
   * Makes a call from its arguments. Errors of Sightline become analysis errors of Spark.
   *
   * @throws sightline.SightlineException WRONG_ARGUMENTS, and others of the function
   */
  protected def build(arguments: FunctionArguments): Call

  /** One of Spark's function groups. */
  protected def group: String

  // One object for each function: Spark warns if a function is registered by another one.
  lazy val description: (FunctionIdentifier, ExpressionInfo, Seq[Expression] => Call) = {
    val info = new ExpressionInfo(
      getClass.getName,
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
    def call(arguments: Seq[Expression]): Call = AnalysisErrors.analysed {
      build(FunctionArguments(name, parameters, required, arguments))
    }
    (FunctionIdentifier(name), info, call)
  }
}

/** A function that is used as an expression. */
trait ScalarFunction extends SqlFunction {
  override type Call = InferenceCall
  override protected def group: String = "misc_funcs"
}

/**
 * A function that is used as an expression and runs no model. It has the name of a function of a newer
 * Spark, so a Spark that has the function keeps its own.
 */
trait ExpressionFunction extends SqlFunction {
  override type Call = Expression
  override protected def group: String = "array_funcs"
}

/** A function that is used in FROM. */
trait TableFunction extends SqlFunction {
  override type Call = LogicalPlan
  override protected def group: String = "table_funcs"
}

object SqlFunction {

  /**
   * Registers functions as built-in functions, because views and SQL functions in a catalog can name
   * only those. A session copies the built-in functions after it applies its extensions.
   */
  def register(functions: Seq[SqlFunction]): Unit = functions.foreach {
    case function: ScalarFunction =>
      val (name, info, call) = function.description
      FunctionRegistry.builtin.registerFunction(name, info, call)
    case function: ExpressionFunction =>
      val (name, info, call) = function.description
      if (!FunctionRegistry.builtin.functionExists(name)) {
        FunctionRegistry.builtin.registerFunction(name, info, call)
      }
    case function: TableFunction =>
      val (name, info, call) = function.description
      TableFunctionRegistry.builtin.registerFunction(name, info, call)
  }
}
