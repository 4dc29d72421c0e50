package sightline.schedule

import java.util.concurrent.atomic.AtomicLong

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.sightline.PythonWorker

import sightline.SightlineException
import sightline.model.{Bundle, ResultType}

/**
 * A model with the settings for running it in the workers.
 *
 * Two inferences are equal if their results are equal: they have the same bundle (by its hash) and the
 * same settings. The name in the query is not compared.
 *
 * @param called the name or path in the query or command; None: the bundle's own name
 * @param version the model's version, from 1, if CREATE MODEL made it; else None
 */
final case class Inference(
    bundle: Bundle,
    settings: InferenceSettings = InferenceSettings(),
    images: ImageSettings = ImageSettings(),
    called: Option[String] = None,
    version: Option[Int] = None,
) {

  /** The name or path for messages and EXPLAIN. */
  def name: String = called.getOrElse(bundle.manifest.name)

  override def equals(other: Any): Boolean = other match {
    case that: Inference => identity == that.identity
    case _ => false
  }
  override def hashCode: Int = identity.hashCode
  private def resources: TaskResources = settings.resources
  private def identity: (String, InferenceSettings, ImageSettings) =
    (bundle.sha256, settings, images)

  /** One line for EXPLAIN: name, version, hash and settings. */
  def description: String = {
    val which = s"$name${version.fold("")(v => s" version $v")}, sha256 ${bundle.sha256.take(12)}"
    s"$which, backend ${settings.backend}, precision ${settings.precision}, " +
      s"decoder ${images.decoder}, batch ${settings.batchRows}, device ${settings.device}" +
      (if (settings.casts == InferenceSettings.Exact) "" else s", casts ${settings.casts}") +
      (if (resources.gpus > 0) s", gpus per task ${resources.gpus}" else "") +
      (if (resources.cpus > 0) s", cpus per task ${resources.cpus}" else "")
  }

  /**
   * Checks that the model supports these settings and that the interpreter has the required packages.
   * A query runs this check once for each model, during analysis.
   *
   * @throws sightline.SightlineException UNKNOWN_BACKEND, NOT_CALIBRATED, CODE_NOT_ALLOWED,
   *   DEVICE_UNAVAILABLE, TASK_RESOURCES_UNAVAILABLE, MISSING_PACKAGE and others of [[Preflight]]
   */
  def check(spark: SparkSession): Unit = {
    Inference.checks.incrementAndGet(): Unit
    val context = spark.sparkContext
    new ResourceSettings(context.getConf).requireStart()
    resources.check(spark)
    requireTaskGpus(spark)
    val executable = Interpreter.ofDriver(context.getConf)
    requireMode(executable)
    if (!settings.allowCode) Preflight.requireKnownCode(executable, settings.backend, bundle)
    Preflight.requireBuildSpark(context.version)
    val found = Preflight.check(executable, context.version, this)
    ExecutorProbe.requireOnce(
      spark,
      Interpreter.of(context.getConf),
      found.python,
      Preflight.needs(executable, this),
    )
    if (settings.device == "cuda" && context.isLocal) {
      Preflight.checkCuda(executable, settings.backend)
    }
  }

  /** Without this check each task on a cluster would fail with the same error. */
  private def requireTaskGpus(spark: SparkSession): Unit =
    if (settings.device == "cuda" && !spark.sparkContext.isLocal && gpusOfTask(spark) <= 0) {
      throw SightlineException(
        "DEVICE_UNAVAILABLE",
        "device" -> "cuda",
        "reason" -> "the tasks of this application have no GPU",
        "hint" -> ("Set gpus-per-task, such as --gpus-per-task 1 or 0.25, or use --device auto " +
          "or cpu."),
      )
    }

  /** The part of a GPU that Spark gives to a task of this model. */
  def gpusOfTask(spark: SparkSession): Double =
    if (resources.gpus > 0) resources.gpus
    // A profile replaces the application's amount.
    else if (resources.cpus > 0) 0
    else spark.sparkContext.getConf.getDouble(ResourceSettings.TaskGpus, 0)

  /** The cores of a task of this model, each of which has a thread of the worker. */
  def threads(spark: SparkSession): Int =
    if (resources.cpus > 0) resources.cpus
    else spark.sparkContext.getConf.getInt("spark.task.cpus", 1)

  /**
   * Checks that the bundle supports the backend and the precision. The interpreter's packages are not
   * checked.
   *
   * @param executable the workers' interpreter; it is started only to list a backend that is not
   *   built in
   * @throws sightline.SightlineException UNKNOWN_BACKEND, NO_VARIANT, NOT_CALIBRATED and others
   */
  def requireMode(executable: String): Unit = {
    val backends = Preflight.backends(executable, settings.backend)
    bundle.requirePrecision(settings.backend, settings.precision, backends): Unit
  }

  /**
   * Ships the bundle and the Python sources to the nodes, once for each session.
   *
   * @return the URIs of the archives
   */
  def ship(spark: SparkSession): Seq[String] =
    Seq(ShippedArchives.shipBundle(spark, bundle), ShippedArchives.shipPython(spark))
      .map(ShippedArchives.uriOf)

  /**
   * The worker function for a SQL expression, with one argument for each input of the model.
   *
   * @param counters accumulates the workers' counters; None: they are discarded
   */
  def scalar(
      spark: SparkSession,
      result: ResultType,
      counters: Option[WorkerCounters] = None,
  ): PythonWorker = worker(spark, "scalar", result, None).copy(updates = counters)

  /**
   * The worker function for whole partitions, for mapInArrow.
   *
   * @param columns the names of the columns that the model reads
   * @param counters accumulates the workers' counters; None: they are discarded
   */
  def bulk(
      spark: SparkSession,
      result: ResultType,
      columns: WorkerSpec.Columns,
      counters: Option[WorkerCounters] = None,
  ): PythonWorker = worker(spark, "bulk", result, Some(columns)).copy(updates = counters)

  private def worker(
      spark: SparkSession,
      factory: String,
      result: ResultType,
      columns: Option[WorkerSpec.Columns],
  ): PythonWorker = {
    val context = spark.sparkContext
    val folder = ShippedArchives.shipBundle(spark, bundle)
    val spec = WorkerSpec(
      WorkerSpec.Model(bundle.manifest.name, bundle.sha256, folder),
      settings,
      images,
      local = context.isLocal,
      threads = threads(spark),
      gpus = gpusOfTask(spark),
      result,
      columns,
    )
    WorkerFunction(
      spark,
      "sightline.worker.spark_worker",
      factory,
      spec.toJson,
      WorkerEnvironment(settings.backend),
    )
  }
}

object Inference {

  /** The number of inferences that have been checked, for tests. */
  private[sightline] val checks = new AtomicLong
}
