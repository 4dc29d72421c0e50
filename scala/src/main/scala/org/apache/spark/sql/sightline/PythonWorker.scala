package org.apache.spark.sql.sightline

import scala.jdk.CollectionConverters.*

import org.apache.spark.api.python.{PythonEvalType, SimplePythonFunction}
import org.apache.spark.sql.catalyst.expressions.{Attribute, Expression, PythonUDF}
import org.apache.spark.sql.types.{DataType, StructType}
import org.apache.spark.util.CollectionAccumulator

/**
 * A Python function that Spark's workers run, named by module and factory.
 *
 * @param executable the interpreter on every node
 * @param pythonVersion its `major.minor`, which the worker compares with its own
 * @param includes names under the nodes' SparkFiles folder that go on the worker's `sys.path`
 * @param environment variables of the worker process; workers are pooled by them
 * @param module module of the factory
 * @param factory function of `module` that takes `spec` and gives the worker's function
 * @param spec JSON handed to the factory
 * @param updates gets what the worker adds to accumulators, as it sends it
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

  /** The function over whole partitions, for a plan of mapInArrow. */
  def mapper(name: String, output: StructType, input: Seq[Attribute]): PythonUDF =
    expression(name, output, input, PythonEvalType.SQL_MAP_ARROW_ITER_UDF)

  /** The function as a scalar expression over `arguments`, fed with Arrow arrays. */
  def scalar(name: String, output: DataType, arguments: Seq[Expression]): PythonUDF =
    expression(name, output, arguments, PythonEvalType.SQL_SCALAR_ARROW_ITER_UDF)

  private def expression(
      name: String,
      output: DataType,
      arguments: Seq[Expression],
      evalType: Int,
  ): PythonUDF = {
    val function = SimplePythonFunction(
      PythonCommand(module, factory, spec, output).toSeq,
      environment.asJava,
      includes.asJava,
      executable,
      pythonVersion,
      broadcastVars = java.util.List.of(),
      accumulator = updates.orNull,
    )
    PythonUDF(name, function, output, arguments, evalType, udfDeterministic = true)
  }
}
