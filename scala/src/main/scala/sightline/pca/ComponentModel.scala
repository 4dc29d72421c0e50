package sightline.pca

import scala.util.Try
import scala.util.control.NonFatal

import org.apache.hadoop.fs.Path
import org.apache.spark.ml.feature.{PCAModel, StandardScalerModel}
import org.apache.spark.ml.sightline.{ComponentStages, FittedPipeline}
import org.apache.spark.sql.{DataFrame, SparkSession}

import sightline.SightlineException
import sightline.source.Columns

/**
 * Scales features to mean 0 and variance 1 and projects them on principal components.
 *
 * @param scaler from `features` to `scaled_features`
 * @param pca from `scaled_features` to `components`
 */
final case class ComponentModel(scaler: StandardScalerModel, pca: PCAModel) {

  /** The length of the input vectors. */
  def features: Int = pca.pc.numRows

  /** The number of components. */
  def k: Int = pca.pc.numCols

  /** The share of the total variance of each component, 0 to 1. */
  def explainedVariance: Seq[Double] = pca.explainedVariance.toArray.toSeq

  /**
   * The rows with a column `components`, array<float>, as the last one instead of `features`, which are
   * packed numbers, and of `error`. The Python workers compute the same projection as the two stages, in float64.
   */
  def project(rows: DataFrame): DataFrame = {
    val none = Array.fill(features)(0d)
    val ones = Array.fill(features)(1d)
    val scale = scaler.std.toArray.map(std => if (std == 0) 0 else 1 / std)
    ComponentsWorker.project(
      rows,
      mean = if (scaler.getWithMean) scaler.mean.toArray else none,
      scale = if (scaler.getWithStd) scale else ones,
      directions = pca.pc.toArray,
    )
  }

  /** Writes the model as a pipeline of Spark ML. */
  def save(folder: String): Unit = FittedPipeline.of(Seq(scaler, pca)).write.save(folder)
}

object ComponentModel {

  private val Scaled = "scaled_features"

  /** The model of fitted components. */
  def of(fit: ComponentFit): ComponentModel =
    ComponentModel(
      ComponentStages.scaler(fit.means, fit.deviations, Columns.Features, Scaled),
      ComponentStages.pca(
        fit.directions,
        fit.shares.take(fit.directions.size),
        Scaled,
        Columns.Components,
      ),
    )

  /**
   * Loads a model that [[ComponentModel.save]] wrote. Only the two expected stages are loaded; Spark's
   * reader of pipelines would load any class that the files name.
   *
   * @param folder the pipeline's folder
   * @throws SightlineException PATH_NOT_FOUND or NOT_A_PCA_MODEL
   */
  def load(spark: SparkSession, folder: String): ComponentModel = {
    val stages = new Path(folder, "stages")
    val fs = stages.getFileSystem(spark.sessionState.newHadoopConf())
    if (!fs.exists(stages)) {
      throw SightlineException(
        "PATH_NOT_FOUND",
        "path" -> folder,
        "reason" -> "has no fitted pipeline",
        "hint" -> "Give the --output of a `pca` run, or its folder model.",
      )
    }
    val found = fs.listStatus(stages).toSeq.map(_.getPath.toString).sorted
    Try {
      val Seq(scaler, pca) = found: @unchecked
      ComponentModel(StandardScalerModel.load(scaler), PCAModel.load(pca))
    }.recover { case NonFatal(error) =>
      throw SightlineException("NOT_A_PCA_MODEL", "folder" -> folder, "reason" -> error.getMessage)
    }.get
  }
}
