package sightline.plan

import java.util.Locale

import scala.collection.concurrent.TrieMap

import com.google.common.collect.MapMaker
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.analysis.{AnalysisContext, Resolver}

import sightline.model.{BundleCatalog, FoundModel, ModelRegistry, ResultType}
import sightline.schedule.{Inference, InferenceSettings, TaskResources}
import sightline.source.AllowedRoots

/**
 * A model with the settings of a call.
 *
 * @param topK the number of labels in a prediction, at least 1
 */
final case class SessionModel(inference: Inference, topK: Int) {

  /** The result of `ml_predict` for a row. */
  def prediction: ResultType = ResultType.prediction(inference.bundle.signature, topK)
}

/** The models that a session's SQL can name, and the session's settings for inference. */
object SessionModels {

  /**
   * The setting for the folder or URI of models, which is searched first. CREATE MODEL writes
   * there.
   */
  val ModelsSetting = "spark.sightline.models"

  private val DeviceSetting = "spark.sightline.device"
  private val GpusSetting = "spark.sightline.gpusPerTask"
  private val CpusSetting = "spark.sightline.cpusPerTask"
  private val AllowCodeSetting = "spark.sightline.allowCode"

  // The key is Spark's relation cache of a query. Spark uses it so that a query that names a table
  // twice reads one version of it.
  private val byQuery = new MapMaker().weakKeys().makeMap[AnyRef, QueryModels]()

  /** The models that the analysis of one query has found so far. */
  final private class QueryModels {
    val found: TrieMap[String, FoundModel] = TrieMap.empty
    val checked: TrieMap[Inference, Unit] = TrieMap.empty
  }

  /**
   * The model for a call in a query. All calls of a model in one query use the version that the
   * query found first, and it is checked once.
   *
   * @param model a name, `name@version`, or a bundle's path
   * @param options the call's options; they override the model's, which override the session's
   * @throws sightline.SightlineException UNKNOWN_MODEL and others of finding the model, and those of
   *   [[sightline.schedule.Inference.check]]
   */
  def of(
      spark: SparkSession,
      model: String,
      options: CallOptions => CallOptions,
  ): SessionModel = of(spark, model, options, find(spark, model))

  /** The same with a model that the caller finds, if the query has not found it yet. */
  private[plan] def of(
      spark: SparkSession,
      model: String,
      options: CallOptions => CallOptions,
      find: => FoundModel,
  ): SessionModel = {
    val query = byQuery.computeIfAbsent(AnalysisContext.get.relationCache, _ => new QueryModels)
    val key =
      if (BundleCatalog.isPath(model) || !resolver(spark)("a", "A")) model
      else model.toLowerCase(Locale.ROOT)
    val found = query.found.getOrElseUpdate(key, find)
    val allowed = defaults(spark, found.bundle.sha256)
    val chosen = options(CallOptions.parse(found.options, allowed))
    val inference =
      Inference(found.bundle, chosen.settings, chosen.images, Some(model), found.version)
    query.checked.getOrElseUpdate(inference, inference.check(spark))
    SessionModel(inference, chosen.topK)
  }

  /**
   * Finds a model by the session's settings, without checking it.
   *
   * @param model a name, `name@version`, or a bundle's path
   * @throws sightline.SightlineException PATH_NOT_ALLOWED, and those of [[BundleCatalog.find]]
   */
  def find(spark: SparkSession, model: String): FoundModel = {
    if (BundleCatalog.isPath(model)) {
      AllowedRoots.of(spark).require(model, spark.sessionState.newHadoopConf())
    }
    catalog(spark).find(model)
  }

  /** The models that the session can use. */
  def catalog(spark: SparkSession): BundleCatalog =
    new BundleCatalog(modelsRoot(spark), spark.sessionState.newHadoopConf(), resolver(spark))

  /**
   * The models that CREATE MODEL made under a models root.
   *
   * @param root the models root; None: the session's
   * @throws sightline.SightlineException NO_MODELS_ROOT
   */
  def registry(spark: SparkSession, root: Option[String] = None): ModelRegistry =
    ModelRegistry.open(
      root.orElse(modelsRoot(spark)),
      spark.sessionState.newHadoopConf(),
      resolver(spark),
    )

  /** The session's options for all models; a call can override them. */
  def defaults(spark: SparkSession): CallOptions = {
    val settings = InferenceSettings()
    def set(name: String): Option[String] = spark.conf.getOption(name)
    CallOptions(
      settings.copy(
        device = set(DeviceSetting).getOrElse(settings.device),
        // Read from the application's configuration: a SQL client's SET must not allow custom code.
        resources = TaskResources(
          set(GpusSetting).fold(0.0)(TaskResources.gpus(GpusSetting, _)),
          set(CpusSetting).fold(0)(TaskResources.cpus(CpusSetting, _)),
        ),
        allowCode = spark.sparkContext.getConf.getBoolean(AllowCodeSetting, defaultValue = false),
      )
    )
  }

  /** The session's options for one bundle, whose code the driver's program may have allowed. */
  private def defaults(spark: SparkSession, sha256: String): CallOptions = {
    val session = defaults(spark)
    if (AllowedCode.contains(sha256)) {
      session.copy(settings = session.settings.copy(allowCode = true))
    } else session
  }

  /** Model names follow the same rule as table names: `spark.sql.caseSensitive`. */
  private def resolver(spark: SparkSession): Resolver = spark.sessionState.conf.resolver

  /**
   * The models root. A session can set its own root, which must be under the folders that it can
   * read.
   */
  private def modelsRoot(spark: SparkSession): Option[String] = {
    def orEnvironment(setting: Option[String]): Option[String] =
      setting.orElse(sys.env.get("SIGHTLINE_MODELS")).filter(_.trim.nonEmpty)
    val root = orEnvironment(spark.conf.getOption(ModelsSetting))
    val ofApplication = orEnvironment(spark.sparkContext.getConf.getOption(ModelsSetting))
    root.filterNot(ofApplication.contains).foreach {
      AllowedRoots.of(spark).require(_, spark.sessionState.newHadoopConf())
    }
    root
  }
}
