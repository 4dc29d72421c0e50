package org.apache.spark.ml.sightline

import breeze.linalg.{DenseMatrix as BreezeMatrix, eigSym}
import org.apache.spark.ml.feature.{PCA, PCAModel}
import org.apache.spark.ml.linalg.{DenseMatrix, Vector, Vectors}
import org.apache.spark.mllib.linalg.Vectors.fromML
import org.apache.spark.mllib.linalg.distributed.RowMatrix
import org.apache.spark.sql.DataFrame

/**
 * All principal components of a column of vectors, computed from MLlib's covariance matrix.
 *
 * MLlib's own `PCA` computes singular values with LAPACK's `dgesdd`. The Java translation of `dgesdd`
 * gives wrong values for some matrices without full rank, without an error: for 150 rows of 1280
 * features the first share was 0.04 instead of 0.17. This class computes eigenvalues with `dsyev`,
 * which are right and take half the time. A test compares them with the projected rows.
 *
 * The class is in Spark's package because the constructor of `PCAModel` is private to it.
 *
 * @param shares the share of the total variance of every component; their sum is 1
 * @param directions the components by columns, each of length 1 with a positive largest element
 */
final class PrincipalComponents private (
    estimator: PCA,
    features: Int,
    val shares: Array[Double],
    directions: Array[Double],
) {

  /** The model of the first `k` components; `k` is 1 to the number of features. */
  def model(k: Int): PCAModel =
    new PCAModel(
      estimator.uid,
      new DenseMatrix(features, k, directions.take(features * k)),
      Vectors.dense(shares.take(k)).toDense,
    ).setParent(estimator)
      .setInputCol(estimator.getInputCol)
      .setOutputCol(estimator.getOutputCol)
      .set(estimator.k, k)
}

object PrincipalComponents {

  /**
   * Fits all components. It reads the rows twice: for the means and for the covariances.
   *
   * @param rows at least two rows
   */
  def fit(rows: DataFrame, input: String, output: String): PrincipalComponents = {
    val vectors = rows.select(input).rdd.map(row => fromML(row.getAs[Vector](0)))
    val covariance = new RowMatrix(vectors).computeCovariance()
    val features = covariance.numCols
    val found = eigSym(new BreezeMatrix(features, features, covariance.toArray))
    // The eigenvalues are ascending; negative ones are rounding errors.
    val values = found.eigenvalues.toArray.reverse.map(math.max(_, 0))
    val total = values.sum
    val directions = (features - 1 to 0 by -1).flatMap { column =>
      val direction = found.eigenvectors(::, column).toArray
      if (direction.maxBy(math.abs) < 0) direction.map(-_) else direction
    }
    val estimator = new PCA().setInputCol(input).setOutputCol(output)
    new PrincipalComponents(
      estimator,
      features,
      values.map(value => if (total > 0) value / total else 0),
      directions.toArray,
    )
  }
}
