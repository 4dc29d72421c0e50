package sightline.train

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.sightline.PythonWorker
import org.apache.spark.sql.types.{StringType, StructType}
import org.json4s.*
import org.json4s.jackson.JsonMethods

import sightline.schedule.{
  DriverPython,
  ExecutorProbe,
  Interpreter,
  Preflight,
  ResourceSettings,
  WorkerEnvironment,
  WorkerFunction,
}

/**
 * The Python half of `train`: steps on the driver (`sightline.worker.training_driver`) and functions
 * of Spark's workers (`sightline.worker.training`).
 */
final class TrainPython(spark: SparkSession) {

  private val executable = Interpreter.ofDriver(spark.sparkContext.getConf)

  /**
   * Checks that the interpreter has the packages for training.
   *
   * @param more packages that this run needs too, each of the extra of its name
   * @throws sightline.SightlineException TASKS_CANNOT_START, MISSING_PACKAGE and others of [[Preflight]]
   *   and [[ExecutorProbe]]
   */
  def checkPackages(more: Seq[String] = Nil): Unit = {
    val extras = ("train" +: more).mkString(",")
    val version = spark.sparkContext.version
    new ResourceSettings(spark.sparkContext.getConf).requireStart()
    Preflight.requireBuildSpark(version)
    val found = Preflight.requirePackages(
      executable,
      version,
      TrainPython.Packages ++ more,
      purpose = "train",
      hint = s"Install sightline[$extras] there, or set another interpreter by " +
        "spark.pyspark.python or PYSPARK_PYTHON.",
    )
    ExecutorProbe.requireOnce(
      spark,
      Interpreter.of(spark.sparkContext.getConf),
      found.python,
      TrainPython.Packages ++ more,
    )
  }

  /**
   * Runs a step on the driver.
   *
   * @param name `check`, `index` or `finish`; their docstrings describe input and result
   * @throws sightline.SightlineException the error of the step; PYTHON_FAILED
   */
  def step(name: String, input: JObject): JValue = JsonMethods.parse(
    DriverPython.step(
      executable,
      "sightline.worker.training_driver",
      "train",
      name,
      JsonMethods.compact(input),
      environment,
    )
  )

  /** The function `prepare` or `train` of the workers. */
  def worker(function: String, spec: JObject): PythonWorker = WorkerFunction(
    spark,
    "sightline.worker.training",
    function,
    JsonMethods.compact(spec),
    environment,
  )

  private def environment = WorkerEnvironment("pytorch")
}

object TrainPython {

  /** The rows of the workers' functions: one event as JSON text. */
  val Events: StructType = new StructType().add("event", StringType)

  private val Packages = Seq(
    "numpy",
    "pyarrow",
    "PIL",
    "torch",
    "torchvision",
    "safetensors",
    "yaml",
    "filelock",
    "onnx",
    "jinja2",
    "matplotlib",
  )
}
