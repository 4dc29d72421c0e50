package sightline.schedule

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.sightline.PythonWorker

/** Functions of the Python package in Spark's workers. */
object WorkerFunction {

  /**
   * A function with the interpreter and the shipped sources of the session.
   *
   * @param module the Python module of the factory
   * @param factory the name of a function of `module` that takes `spec`
   * @param spec JSON text
   * @param environment environment variables of the worker process
   * @throws sightline.SightlineException PYTHON_NOT_FOUND, PYSPARK_MISMATCH or PYTHON_UNUSABLE
   */
  def apply(
      spark: SparkSession,
      module: String,
      factory: String,
      spec: String,
      environment: Map[String, String] = Map.empty,
  ): PythonWorker = {
    val context = spark.sparkContext
    val executable = Interpreter.of(context.getConf)
    PythonWorker(
      executable,
      pythonVersion =
        Preflight.checkPackages(Interpreter.ofDriver(context.getConf), context.version).python,
      includes = Seq(ShippedArchives.shipPython(spark)),
      environment = environment,
      module = module,
      factory = factory,
      spec = spec,
    )
  }
}
