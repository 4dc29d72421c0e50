package sightline.vectors

import org.apache.commons.math3.distribution.ChiSquaredDistribution

/**
 * The population stability index of one feature: Σ (q − p) ln(q / p) over the bins between the deciles
 * of the reference, for the shares p of the reference and q of the current values.
 *
 * @param noise the value that the index of two samples of one distribution exceeds with a probability
 *   of 1 %: the index is then about χ²·(1/n + 1/m) (Yurdakul 2018)
 */
final private[vectors] case class StabilityIndex(value: Double, noise: Double) {

  /** Moderate from 0.1 and large from 0.25, as usual; none if the index may be noise. */
  def verdict: String = if (value < noise) Verdict.None else Verdict.of(value, 0.1, 0.25)
}

private[vectors] object StabilityIndex {

  private val Bins = 10

  def apply(reference: Array[Float], current: Array[Float]): StabilityIndex = {
    val sorted = reference.sorted
    val deciles = (1 until Bins).map(i => i * sorted.length / Bins).distinct.map(sorted(_))
    // A value that is several deciles, such as the 0 of a feature that is often 0, has its own bin.
    val repeated = deciles.diff(deciles.distinct)
    val edges = (deciles ++ repeated.map(Math.nextUp)).distinct
    val expected = counts(reference, edges)
    val found = counts(current, edges)
    val bins = edges.size + 1
    // Half a row in each bin, so that an empty bin does not give an infinite index.
    def share(count: Int, rows: Int): Double = (count + 0.5) / (rows + 0.5 * bins)
    val value = expected
      .zip(found)
      .map { case (a, b) =>
        val (p, q) = (share(a, reference.length), share(b, current.length))
        (q - p) * math.log(q / p)
      }
      .sum
    val limit = new ChiSquaredDistribution(bins - 1).inverseCumulativeProbability(0.99)
    StabilityIndex(value, limit * (1.0 / reference.length + 1.0 / current.length))
  }

  /** The number of values in each bin; a value that equals an edge is in the bin above. */
  private def counts(values: Array[Float], edges: Seq[Float]): Array[Int] = {
    val counts = new Array[Int](edges.size + 1)
    values.foreach(value => counts(edges.count(_ <= value)) += 1)
    counts
  }
}
