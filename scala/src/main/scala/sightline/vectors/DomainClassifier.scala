package sightline.vectors

import sightline.plan.VectorMath

/**
 * A linear classifier that tells two sets apart: the discriminant of Gaussians with diagonal covariance
 * ("independence rule"), which can be fitted on fewer vectors than features. It is fitted on every
 * second vector of the samples, and the area under its ROC curve is measured on the others.
 */
private[vectors] object DomainClassifier {

  /** The measure `domain_classifier_auc`. */
  def row(reference: Seq[SampledVector], current: Seq[SampledVector]): DriftRow = {
    val (fitA, testA) = halves(reference)
    val (fitB, testB) = halves(current)
    val weights = direction(fitA, fitB)
    def scores(vectors: Seq[Array[Float]]) = vectors.map(VectorMath.dot(weights, _)).toArray
    val area = auc(scores(testA), scores(testB))
    val (n, m) = (testA.size.toDouble, testB.size.toDouble)
    // The standard deviation of the area if the sets have one distribution (Mann-Whitney).
    val deviation = math.sqrt((n + m + 1) / (12 * n * m))
    val isNoise = area < 0.5 + 2.33 * deviation
    val verdict = if (isNoise) Verdict.None else Verdict.of(area, 0.55, 0.75)
    DriftRow(None, "domain_classifier_auc", area, Some(verdict))
  }

  /** The probability that a score of `b` is above a score of `a`; equal scores count one half. */
  def auc(a: Array[Double], b: Array[Double]): Double = {
    val sorted = a.sorted
    val above = b.iterator.map { score =>
      (lowerBound(sorted, score, _ < _) + lowerBound(sorted, score, _ <= _)) / 2.0
    }.sum
    above / (a.length.toDouble * b.length)
  }

  private def halves(sample: Seq[SampledVector]): (Seq[Array[Float]], Seq[Array[Float]]) = {
    // Copies of one vector have one hash and are on the same side.
    val order = sample.map(_.hash).distinct.zipWithIndex.toMap
    val (fit, test) = sample.partition(vector => order(vector.hash) % 2 == 0)
    // All vectors of the set are equal: there is nothing to hold out.
    val held = if (test.isEmpty) fit else test
    (fit.map(_.features), held.map(_.features))
  }

  private def direction(a: Seq[Array[Float]], b: Seq[Array[Float]]): Array[Float] = {
    val (meanA, meanB) = (means(a), means(b))
    val (varA, varB) = (variances(a, meanA), variances(b, meanB))
    val pooled = varA.zip(varB).map { case (x, y) =>
      (x * a.size + y * b.size) / (a.size + b.size)
    }
    // A feature that hardly varies must not decide alone.
    val least = 1e-3 * pooled.sum / pooled.length + 1e-12
    meanA.indices.map(i => ((meanB(i) - meanA(i)) / (pooled(i) + least)).toFloat).toArray
  }

  private def means(vectors: Seq[Array[Float]]): Array[Double] = {
    val sums = new Array[Double](vectors.head.length)
    vectors.foreach(vector => vector.indices.foreach(i => sums(i) += vector(i)))
    sums.map(_ / vectors.size)
  }

  private def variances(vectors: Seq[Array[Float]], means: Array[Double]): Array[Double] = {
    val sums = new Array[Double](means.length)
    vectors.foreach { vector =>
      vector.indices.foreach { i =>
        val difference = vector(i) - means(i)
        sums(i) += difference * difference
      }
    }
    sums.map(_ / vectors.size)
  }

  /** The number of first elements for which `isBelow(element, value)`. */
  private def lowerBound(
      sorted: Array[Double],
      value: Double,
      isBelow: (Double, Double) => Boolean,
  ): Int = {
    @annotation.tailrec
    def search(low: Int, high: Int): Int =
      if (low == high) low
      else {
        val middle = (low + high) >>> 1
        if (isBelow(sorted(middle), value)) search(middle + 1, high) else search(low, middle)
      }
    search(0, sorted.length)
  }
}
