package sightline.sql

import org.apache.spark.sql.SparkSession

import sightline.model.{Bundle, BundleCatalog}
import sightline.schedule.InferenceSettings

/** The models that a session's SQL may name, and how the session has them run. */
object SessionModels {

  /** Folder of bundles, searched first. */
  val ModelsSetting = "spark.sightline.models"

  private val DeviceSetting = "spark.sightline.device"
  private val AllowCodeSetting = "spark.sightline.allowCode"

  /** @param model a bundle's name or path */
  def find(spark: SparkSession, model: String): Bundle =
    new BundleCatalog(spark.conf.getOption(ModelsSetting), spark.sessionState.newHadoopConf())
      .find(model)

  /** What the session says of every model; a call may say more. */
  def settings(spark: SparkSession): InferenceSettings = {
    val defaults = InferenceSettings()
    defaults.copy(
      device = spark.conf.getOption(DeviceSetting).getOrElse(defaults.device),
      allowCode = spark.conf.getOption(AllowCodeSetting).contains("true"),
    )
  }
}
