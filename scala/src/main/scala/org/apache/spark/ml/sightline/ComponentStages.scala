package org.apache.spark.ml.sightline

import org.apache.spark.ml.feature.{PCA, PCAModel, StandardScaler, StandardScalerModel}
import org.apache.spark.ml.linalg.{DenseMatrix, Vectors}

/**
 * Spark ML's stages of components that were fitted elsewhere. It is in Spark's package because the
 * constructors of the models are private to it.
 */
object ComponentStages {

  /** The stage that scales features to mean 0 and variance 1; a deviation of 0 scales to 0. */
  def scaler(
      mean: Array[Double],
      deviation: Array[Double],
      input: String,
      output: String,
  ): StandardScalerModel = {
    val estimator = new StandardScaler()
    new StandardScalerModel(estimator.uid, Vectors.dense(deviation), Vectors.dense(mean))
      .setParent(estimator)
      .setInputCol(input)
      .setOutputCol(output)
      .set(estimator.withMean, true)
      .set(estimator.withStd, true)
  }

  /**
   * The stage that projects on components.
   *
   * @param directions the components, at least one, each as long as the features
   * @param shares the share of the total variance of each component
   */
  def pca(
      directions: Seq[Array[Double]],
      shares: Array[Double],
      input: String,
      output: String,
  ): PCAModel = {
    val estimator = new PCA()
    val columns =
      new DenseMatrix(directions.head.length, directions.size, directions.toArray.flatten)
    new PCAModel(estimator.uid, columns, Vectors.dense(shares).toDense)
      .setParent(estimator)
      .setInputCol(input)
      .setOutputCol(output)
      .set(estimator.k, directions.size)
  }
}
