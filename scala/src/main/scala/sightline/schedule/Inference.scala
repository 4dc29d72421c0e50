package sightline.schedule

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.sightline.PythonWorker
import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods

import sightline.model.Bundle
import sightline.source.Columns

/**
 * A model, and how it is run in the workers.
 *
 * Two are equal if they give equal results: the same bundle, by its hash, run with the same settings. The
 * name that a query calls the bundle by makes no difference.
 *
 * @param called what the user calls it; None: its own name
 * @param version of the models root, when it comes from there
 */
final case class Inference(
    bundle: Bundle,
    settings: InferenceSettings = InferenceSettings(),
    called: Option[String] = None,
    version: Option[Int] = None,
) {

  import settings.*

  def name: String = called.getOrElse(bundle.manifest.name)

  override def equals(other: Any): Boolean = other match {
    case that: Inference => identity == that.identity
    case _ => false
  }
  override def hashCode: Int = identity.hashCode
  private def identity: (String, InferenceSettings) = (bundle.sha256, settings)

  /** One line: the model, by its version and hash, and how it is asked to run. */
  def description: String = {
    val which = s"$name${version.fold("")(v => s" version $v")}, sha256 ${bundle.sha256.take(12)}"
    s"$which, backend $backend, precision $precision, decoder $decoder, batch $batchRows, " +
      s"device $device"
  }

  /**
   * Makes sure that the model can run so, and that the interpreter has what it takes.
   *
   * @throws sightline.SightlineException UNKNOWN_BACKEND, NOT_CALIBRATED, CODE_NOT_ALLOWED,
   *   DEVICE_UNAVAILABLE, MISSING_PACKAGE and others of [[Preflight]]
   */
  def check(spark: SparkSession): Preflight = {
    bundle.requirePrecision(backend, precision, decoder)
    if (!allowCode) Preflight.requireKnownCode(backend, bundle)
    val context = spark.sparkContext
    Preflight.requireBuildSpark(context.version)
    val executable = Interpreter.of(context.getConf)
    val found = Preflight.check(executable, context.version, settings, bundle)
    if (device == "cuda" && context.isLocal) Preflight.checkCuda(executable, backend)
    found
  }

  /**
   * The worker function for whole partitions, by mapInArrow.
   *
   * @param result what a row gives beside its error: `prediction` or `features`
   * @param counters gets what the workers counted
   */
  def bulk(
      spark: SparkSession,
      result: String,
      counters: Option[WorkerCounters] = None,
  ): PythonWorker =
    worker(
      spark,
      "bulk",
      ("content_column" -> Columns.WorkerContent) ~
        ("error_column" -> Columns.WorkerError) ~
        ("result" -> result),
    ).copy(updates = counters)

  /**
   * The worker function for a SQL expression.
   *
   * @param result what a row gives: `prediction`, `features` or `image_inference`
   */
  def scalar(
      spark: SparkSession,
      result: String,
      counters: Option[WorkerCounters] = None,
  ): PythonWorker =
    worker(spark, "scalar", "result" -> result).copy(updates = counters)

  private def worker(
      spark: SparkSession,
      factory: String,
      more: org.json4s.JObject,
  ): PythonWorker = {
    val preflight = check(spark)
    val context = spark.sparkContext
    val spec =
      ("protocol" -> Preflight.Protocol) ~
        ("model" ->
          ("name" -> bundle.manifest.name) ~
          ("sha256" -> bundle.sha256) ~
          ("folder" -> NodeFiles.shipBundle(spark, bundle))) ~
        ("backend" -> backend) ~
        ("precision" -> precision) ~
        ("decoder" -> decoder) ~
        ("device" -> device) ~
        ("local" -> context.isLocal) ~
        ("allow_code" -> allowCode) ~
        ("threads" -> context.getConf.getInt("spark.task.cpus", 1)) ~
        ("batch_rows" -> batchRows) ~
        ("top_k" -> topK) ~
        ("max_image_bytes" -> maxImageBytes) ~
        ("max_image_pixels" -> maxImagePixels) ~
        more
    PythonWorker(
      executable = Interpreter.of(context.getConf),
      pythonVersion = preflight.python,
      includes = Seq(NodeFiles.shipPython(spark)),
      environment = Inference.environment(backend),
      module = "sightline.worker.spark_worker",
      factory = factory,
      spec = JsonMethods.compact(spec),
    )
  }
}

object Inference {

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
