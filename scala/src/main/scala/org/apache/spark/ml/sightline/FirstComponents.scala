package org.apache.spark.ml.sightline

import org.apache.spark.ml.feature.PCAModel
import org.apache.spark.ml.linalg.{DenseMatrix, Vectors}

/**
 * The first components of a PCA that was fitted with all of them: Spark computes every component
 * whatever it is asked for, and fitting again for fewer would cost another pass over the data.
 *
 * In Spark's own package for the constructor of its model.
 */
object FirstComponents {

  /** @param k at least 1, at most the components of `model` */
  def of(model: PCAModel, k: Int): PCAModel = {
    val rows = model.pc.numRows
    // By columns, each a component.
    val pc = new DenseMatrix(rows, k, model.pc.toDense.toArray.take(rows * k))
    val variance = Vectors.dense(model.explainedVariance.toArray.take(k)).toDense
    new PCAModel(model.uid, pc, variance)
      .setParent(model.parent)
      .setInputCol(model.getInputCol)
      .setOutputCol(model.getOutputCol)
      .set(model.k, k)
  }
}
