package sightline.schedule

import java.util.concurrent.atomic.AtomicLong

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.sightline.PythonWorker

import sightline.model.{Bundle, ResultType}

/**
 * A model, and how it is run in the workers.
 *
 * Two are equal if they give equal results: the same bundle, by its hash, run with the same
 * settings. The name that a query calls the bundle by makes no difference.
 *
 * @param called what the user calls it; None: its own name
 * @param version of the models root, when it comes from there
 */
final case class Inference(
    bundle: Bundle,
    settings: InferenceSettings = InferenceSettings(),
    images: ImageSettings = ImageSettings(),
    called: Option[String] = None,
    version: Option[Int] = None,
) {

  def name: String = called.getOrElse(bundle.manifest.name)

  override def equals(other: Any): Boolean = other match {
    case that: Inference => identity == that.identity
    case _ => false
  }
  override def hashCode: Int = identity.hashCode
  private def identity: (String, InferenceSettings, ImageSettings) =
    (bundle.sha256, settings, images)

  /** One line: the model, by its version and hash, and how it is asked to run. */
  def description: String = {
    val which = s"$name${version.fold("")(v => s" version $v")}, sha256 ${bundle.sha256.take(12)}"
    s"$which, backend ${settings.backend}, precision ${settings.precision}, " +
      s"decoder ${images.decoder}, batch ${settings.batchRows}, device ${settings.device}"
  }

  /**
   * Makes sure that the model can run so, and that the interpreter has what it takes. A query does
   * this once for each model, when it is analysed.
   *
   * @throws sightline.SightlineException UNKNOWN_BACKEND, NOT_CALIBRATED, CODE_NOT_ALLOWED,
   *   DEVICE_UNAVAILABLE, MISSING_PACKAGE and others of [[Preflight]]
   */
  def check(spark: SparkSession): Unit = {
    Inference.checks.incrementAndGet(): Unit
    val context = spark.sparkContext
    val executable = Interpreter.of(context.getConf)
    requireMode(executable)
    if (!settings.allowCode) Preflight.requireKnownCode(settings.backend, bundle)
    Preflight.requireBuildSpark(context.version)
    Preflight.check(executable, context.version, this): Unit
    if (settings.device == "cuda" && context.isLocal) {
      Preflight.checkCuda(executable, settings.backend)
    }
  }

  /**
   * Makes sure that the bundle can run in this way, whatever the interpreter has.
   *
   * @param executable the workers' interpreter, which is asked for a backend that is not built in
   * @throws sightline.SightlineException UNKNOWN_BACKEND, NO_VARIANT, NOT_CALIBRATED and others
   */
  def requireMode(executable: String): Unit = {
    val backends = Preflight.backends(executable, settings.backend)
    bundle.requirePrecision(settings.backend, settings.precision, images.decoder, backends): Unit
  }

  /** Packs the bundle and the Python sources for the nodes, once for a session. */
  def ship(spark: SparkSession): Unit = {
    NodeFiles.shipBundle(spark, bundle): Unit
    NodeFiles.shipPython(spark): Unit
  }

  /**
   * The worker function for a SQL expression, with an argument for each input of the model.
   *
   * @param counters gets what the workers counted
   */
  def scalar(
      spark: SparkSession,
      result: ResultType,
      counters: Option[WorkerCounters] = None,
  ): PythonWorker = worker(spark, "scalar", result, None).copy(updates = counters)

  /**
   * The worker function for whole partitions, by mapInArrow.
   *
   * @param columns names of the columns that are the model's
   * @param counters gets what the workers counted
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
    val executable = Interpreter.of(context.getConf)
    val folder = NodeFiles.shipBundle(spark, bundle)
    val spec = WorkerSpec(
      WorkerSpec.Model(bundle.manifest.name, bundle.sha256, folder),
      settings,
      images,
      local = context.isLocal,
      threads = context.getConf.getInt("spark.task.cpus", 1),
      result,
      columns,
    )
    PythonWorker(
      executable,
      pythonVersion = Preflight.checkPackages(executable, context.version).python,
      includes = Seq(NodeFiles.shipPython(spark)),
      environment = Inference.environment(settings.backend),
      module = "sightline.worker.spark_worker",
      factory = factory,
      spec = spec.toJson,
    )
  }
}

object Inference {

  /** How many inferences have been checked, for tests. */
  private[sightline] val checks = new AtomicLong

  /**
   * Variables of the worker process, which is pooled by them.
   *
   * Eager torch frees and asks again for its large buffers at every layer; unless glibc keeps them,
   * page faults triple the time of an image (80 against 28 CPU-ms for EfficientNet-Lite0).
   */
  private def environment(backend: String): Map[String, String] =
    if (backend == "pytorch") {
      Map(
        "MALLOC_MMAP_THRESHOLD_" -> (4L << 30).toString,
        "MALLOC_TRIM_THRESHOLD_" -> (8L << 30).toString,
        "MALLOC_TOP_PAD_" -> (256L << 20).toString,
      )
    } else Map.empty
}
