package sightline.vectors

import breeze.linalg.{DenseMatrix, DenseVector, diag, eigSym, trace}

import sightline.SightlineException
import sightline.plan.VectorMath

/**
 * The measures of drift between two sets of vectors.
 *
 *   - `frechet_distance`: |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½) of all vectors, as the FID of image
 *     generation. It has the squared unit of the features and no verdict.
 *   - `domain_classifier_auc`: how well a linear classifier tells the sets apart, on vectors that it was
 *     not fitted on. 0.5 is chance.
 *   - `drifted_features`: the share of features whose PSI is not `none`.
 *   - for each feature `psi`, the population stability index over the deciles of the reference, and
 *     `mean_shift`, the difference of the means in standard deviations of the reference.
 *
 * PSI and AUC use a sample of at most [[DriftSketch.SampleRows]] vectors of each set.
 */
private[vectors] object DriftReport {

  /** The rows of the report. */
  def of(parts: Iterator[DriftSketch]): Iterator[DriftRow] = {
    val sets = DriftSketch.merged(parts)
    val reference = required(sets, isReference = true)
    val current = required(sets, isReference = false)
    VectorMath.requireSame(FeatureDrift.Function, reference.sums.length, current.sums.length)
    val features = reference.sums.indices.flatMap(featureRows(reference, current, _))
    val psi = features.filter(_.measure == "psi")
    val drifted = psi.count(!_.verdict.contains(Verdict.None)).toDouble / psi.size
    Iterator(
      DriftRow(None, "rows_reference", reference.rows.toDouble, None),
      DriftRow(None, "rows_current", current.rows.toDouble, None),
      DriftRow(None, "frechet_distance", frechet(reference, current), None),
      DomainClassifier.row(reference.sample, current.sample),
      DriftRow(None, "drifted_features", drifted, Some(Verdict.of(drifted, 0.2, 0.5))),
    ) ++ features
  }

  private def required(sets: Map[Boolean, DriftSketch], isReference: Boolean): DriftSketch =
    sets.get(isReference).filter(_.rows >= 2).getOrElse {
      val name = if (isReference) "reference" else "current"
      throw SightlineException(
        "WRONG_ARGUMENTS",
        "subject" -> FeatureDrift.Function,
        "reason" -> s"its table $name has fewer than two vectors of finite numbers.",
      )
    }

  private def featureRows(reference: DriftSketch, current: DriftSketch, i: Int): Seq[DriftRow] = {
    def values(sketch: DriftSketch) = sketch.sample.iterator.map(_.features(i)).toArray
    val index = StabilityIndex(values(reference), values(current))
    val difference = mean(current)(i) - mean(reference)(i)
    val deviation = math.sqrt(covariance(reference, i, i).max(0))
    val shift = if (difference == 0) 0.0 else difference / deviation
    Seq(
      DriftRow(Some(i), "psi", index.value, Some(index.verdict)),
      DriftRow(Some(i), "mean_shift", shift, Some(Verdict.of(math.abs(shift), 0.2, 0.8))),
    )
  }

  private def mean(sketch: DriftSketch)(i: Int): Double = sketch.sums(i) / sketch.rows

  private def covariance(sketch: DriftSketch, i: Int, j: Int): Double = {
    val product = sketch.products(i.max(j) * (i.max(j) + 1) / 2 + i.min(j))
    (product - sketch.sums(i) * mean(sketch)(j)) / (sketch.rows - 1)
  }

  private def frechet(a: DriftSketch, b: DriftSketch): Double = {
    val size = a.sums.length
    def matrix(sketch: DriftSketch) =
      DenseMatrix.tabulate(size, size)((i, j) => covariance(sketch, i, j))
    val means = DenseVector.tabulate(size)(i => mean(a)(i) - mean(b)(i))
    val (covA, covB) = (matrix(a), matrix(b))
    val eigen = eigSym(covA)
    val root = eigen.eigenvectors * diag(roots(eigen.eigenvalues)) * eigen.eigenvectors.t
    val product = root * covB * root
    val symmetric = (product + product.t) * 0.5
    val crossed = roots(eigSym.justEigenvalues(symmetric)).toArray.sum
    // Rounding makes the distance of equal sets slightly negative.
    ((means.t * means) + trace(covA) + trace(covB) - 2 * crossed).max(0)
  }

  private def roots(values: DenseVector[Double]): DenseVector[Double] =
    values.map(value => math.sqrt(value.max(0)))
}

/** The words of the column `verdict`. */
private[vectors] object Verdict {
  val None = "none"
  val Moderate = "moderate"
  val Large = "large"

  /** The verdict on a value by the least values for `moderate` and for `large`. */
  def of(value: Double, moderate: Double, large: Double): String =
    if (value >= large) Large else if (value >= moderate) Moderate else None
}
