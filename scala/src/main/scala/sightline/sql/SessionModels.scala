package sightline.sql

import java.util.Locale

import scala.collection.concurrent.TrieMap

import com.google.common.collect.MapMaker
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.analysis.{AnalysisContext, Resolver}

import sightline.model.{BundleCatalog, FoundModel, ModelRegistry}
import sightline.schedule.{Inference, InferenceSettings}
import sightline.source.AllowedRoots

/** The models that a session's SQL may name, and how the session has them run. */
object SessionModels {

  /** Folder or URI of models, searched first; CREATE MODEL writes there. */
  val ModelsSetting = "spark.sightline.models"

  private val DeviceSetting = "spark.sightline.device"
  private val AllowCodeSetting = "spark.sightline.allowCode"

  // What Spark itself keeps tables by, so that a query which names one twice reads one version of it.
  private val byQuery = new MapMaker().weakKeys().makeMap[AnyRef, TrieMap[String, FoundModel]]()

  /**
   * A model as a call in a query runs it: the version that this query saw first, however often it
   * names the model.
   *
   * @param model a name, `name@version`, or a bundle's path
   * @param options of the call; they come before those of the model, and those before the session's
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

  /** What the session says of every model; a call may say more. */
  def settings(spark: SparkSession): InferenceSettings = {
    val defaults = InferenceSettings()
    defaults.copy(
      device = spark.conf.getOption(DeviceSetting).getOrElse(defaults.device),
      // Of the application: a SQL client's SET must not let code in.
      allowCode = spark.sparkContext.getConf.getBoolean(AllowCodeSetting, defaultValue = false),
    )
  }

  /** Names of models follow the rule for names of tables: `spark.sql.caseSensitive`. */
  private def resolver(spark: SparkSession): Resolver = spark.sessionState.conf.resolver

  /** A session may have a root of its own, where it may read. */
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
