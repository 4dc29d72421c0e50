package sightline.pca

import scala.util.Try
import scala.util.control.NonFatal

import org.apache.hadoop.fs.Path
import org.apache.spark.ml.feature.{PCAModel, StandardScaler, StandardScalerModel}
import org.apache.spark.ml.functions.vector_to_array
import org.apache.spark.ml.sightline.{FittedPipeline, PrincipalComponents}
import org.apache.spark.sql.functions.col
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

  /** The rows with a column `components`, array<float>, instead of `features`. */
  def project(vectors: DataFrame): DataFrame = {
    val projected = pca.transform(scaler.transform(vectors))
    projected
      .withColumn(Columns.Components, vector_to_array(col(Columns.Components), "float32"))
      .drop(Columns.Features, ComponentModel.Scaled)
  }

  /** Writes the model as a pipeline of Spark ML. */
  def save(folder: String): Unit = FittedPipeline.of(Seq(scaler, pca)).write.save(folder)
}

object ComponentModel {

  private val Scaled = "scaled_features"

  def fitScaler(vectors: DataFrame): StandardScalerModel =
    new StandardScaler()
      .setInputCol(Columns.Features)
      .setOutputCol(Scaled)
      .setWithMean(true)
      .setWithStd(true)
      .fit(vectors)

  /**
   * Fits all components in two passes over the rows.
   *
   * @return the model with the first `k` components, and the shares of the variance of all components
   */
  def fitPca(
      scaler: StandardScalerModel,
      vectors: DataFrame,
      k: Int,
  ): (ComponentModel, Seq[Double]) = {
    val all = PrincipalComponents.fit(scaler.transform(vectors), Scaled, Columns.Components)
    (ComponentModel(scaler, all.model(k)), all.shares.toSeq)
  }

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
