package org.apache.spark.sql.sightline

import scala.jdk.CollectionConverters.*

import org.apache.spark.api.python.PythonEvalType
import org.apache.spark.sql.catalyst.expressions.{Attribute, Expression, PythonUDF}
import org.apache.spark.sql.types.{DataType, StructType}
import org.apache.spark.util.CollectionAccumulator

/**
 * A Python function that Spark's workers run.
 *
 * @param executable the interpreter on every node, a path (also from the executor's folder) or a name on
 *   the PATH
 * @param pythonVersion the interpreter's `major.minor`, which the worker compares with its own version
 * @param includes names under the nodes' SparkFiles folder to add to the worker's `sys.path`
 * @param environment environment variables of the worker process; Spark reuses a worker only for equal
 *   variables
 * @param module the Python module of the factory
 * @param factory the name of a function of `module` that takes `spec` and returns the worker's function
 * @param spec the argument of the factory, JSON text
 * @param updates receives the worker's accumulator updates as pickles; None: they are discarded
 */
final case class PythonWorker(
    executable: String,
    pythonVersion: String,
    includes: Seq[String],
    environment: Map[String, String],
    module: String,
    factory: String,
    spec: String,
    updates: Option[CollectionAccumulator[Array[Byte]]] = None,
) {

  /** The function for whole partitions, for mapInArrow. */
  def mapper(name: String, output: StructType, input: Seq[Attribute]): PythonUDF =
    expression(name, output, input, PythonEvalType.SQL_MAP_ARROW_ITER_UDF)

  /** The function as a scalar expression over `arguments`, which it receives as Arrow arrays. */
  def scalar(name: String, output: DataType, arguments: Seq[Expression]): PythonUDF =
    expression(
      name,
      output,
      arguments,
      ArrowFunctions.evalType.getOrElse(throw new UnsupportedOperationException(name)),
    )

  private def expression(
      name: String,
      output: DataType,
      arguments: Seq[Expression],
      evalType: Int,
  ): PythonUDF = {
    val function = NodePythonFunction(
      PythonCommand(module, factory, spec, output).toSeq,
      new java.util.HashMap(environment.asJava), // Spark 4.0 adds variables to it
      includes.asJava,
      executable,
      pythonVersion,
      updates,
    )
    PythonUDF(name, function, output, arguments, evalType, udfDeterministic = true)
  }
}
