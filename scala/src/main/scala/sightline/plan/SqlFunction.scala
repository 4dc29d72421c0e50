package sightline.plan

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.analysis.{FunctionRegistry, TableFunctionRegistry}
import org.apache.spark.sql.catalyst.expressions.{Expression, ExpressionInfo}
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.sightline.AnalysisErrors

import sightline.BuildInfo
import sightline.model.ResultType

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

  /** Whether a model's inputs follow the required parameters. */
  protected def takesInputs: Boolean = false

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
      build(FunctionArguments(name, parameters, required, arguments, takesInputs))
    }
    (FunctionIdentifier(name), info, call)
  }
}

/** A function that is used as an expression. */
trait ScalarFunction extends SqlFunction {
  override type Call = InferenceCall
  override protected def group: String = "misc_funcs"
}

/** A function that runs a model on values for its inputs: `(model, input…[, options])`. */
trait ModelFunction extends ScalarFunction {

  override protected val parameters: Seq[String] = Seq("model", "options")
  override protected val required = 1
  override protected val takesInputs = true

  /**
   * The result of a call.
   *
   * @throws sightline.SightlineException if the model does not give this result
   */
  protected def result(model: SessionModel, arguments: FunctionArguments): ResultType

  override protected def build(arguments: FunctionArguments): InferenceCall = {
    val model = SessionModels.of(
      SparkSession.active,
      arguments.literalText("model"),
      CallOptions.parse(arguments.options, _),
    )
    val inputs = ModelInputs(name, model.inference, arguments.inputs)
    InferenceCall(name, model.inference, result(model, arguments), inputs)
  }
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
    case function: TableFunction =>
      val (name, info, call) = function.description
      TableFunctionRegistry.builtin.registerFunction(name, info, call)
  }
}
