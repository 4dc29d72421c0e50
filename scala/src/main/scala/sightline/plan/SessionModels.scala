package sightline.plan

import java.util.Locale

import scala.collection.concurrent.TrieMap

import com.google.common.collect.MapMaker
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.analysis.{AnalysisContext, Resolver}

import sightline.model.{BundleCatalog, FoundModel, ModelRegistry}
import sightline.schedule.{Inference, InferenceSettings}
import sightline.source.AllowedRoots

/** The models that a session's SQL can name, and the session's settings for inference. */
object SessionModels {

  /**
   * The setting for the folder or URI of models, which is searched first. CREATE MODEL writes
   * there.
   */
  val ModelsSetting = "spark.sightline.models"

  private val DeviceSetting = "spark.sightline.device"
  private val AllowCodeSetting = "spark.sightline.allowCode"

  // The key is Spark's relation cache of a query. Spark uses it so that a query that names a table
  // twice reads one version of it.
  private val byQuery = new MapMaker().weakKeys().makeMap[AnyRef, TrieMap[String, FoundModel]]()

  /**
   * The model for a call in a query. All calls of a model in one query use the version that the
   * query found first.
   *
   * @param model a name, `name@version`, or a bundle's path
   * @param options the call's options; they override the model's, which override the session's
   */
  def inference(
      spark: SparkSession,
      model: String,
      options: InferenceSettings => InferenceSettings,
  ): Inference = {
    val query = byQuery.computeIfAbsent(
      AnalysisContext.get.relationCache,
      _ => TrieMap.empty[String, FoundModel],
    )
    val key =
      if (BundleCatalog.isPath(model) || !resolver(spark)("a", "A")) model
      else model.toLowerCase(Locale.ROOT)
    val found = query.getOrElseUpdate(key, find(spark, model))
    val own = CallOptions.parse(found.options, settings(spark))
    val inference = Inference(found.bundle, options(own), Some(model), found.version)
    inference.check(spark): Unit
    inference
  }

  def find(spark: SparkSession, model: String): FoundModel = {
    if (BundleCatalog.isPath(model)) {
      AllowedRoots.of(spark).require(model, spark.sessionState.newHadoopConf())
    }
    catalog(spark).find(model)
  }

  def catalog(spark: SparkSession): BundleCatalog =
    new BundleCatalog(modelsRoot(spark), spark.sessionState.newHadoopConf(), resolver(spark))

  /** @throws sightline.SightlineException NO_MODELS_ROOT */
  def registry(spark: SparkSession): ModelRegistry =
    ModelRegistry.open(modelsRoot(spark), spark.sessionState.newHadoopConf(), resolver(spark))

  /** The session's settings for all models; a call can override them. */
  def settings(spark: SparkSession): InferenceSettings = {
    val defaults = InferenceSettings()
    defaults.copy(
      device = spark.conf.getOption(DeviceSetting).getOrElse(defaults.device),
      // Read from the application's configuration: a SQL client's SET must not allow custom code.
      allowCode = spark.sparkContext.getConf.getBoolean(AllowCodeSetting, defaultValue = false),
    )
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
