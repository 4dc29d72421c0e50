package sightline.vectors

import scala.annotation.tailrec
import scala.collection.mutable

import sightline.plan.VectorMath

/**
 * A sampled vector.
 *
 * @param draw the pseudo-random number by which it was drawn; copies of a vector have different ones
 * @param hash the hash of the vector; copies have one hash
 */
final private[vectors] case class SampledVector(draw: Long, hash: Long, features: Array[Float])

/**
 * What the measures of drift need of one set of vectors, or of a part of it.
 *
 * @param rows the number of vectors
 * @param sums the sum of each feature
 * @param products the sums of the products of two features, the lower triangle row by row
 * @param sample the vectors with the smallest numbers `draw`, at most [[DriftSketch.SampleRows]]
 */
final private[vectors] case class DriftSketch(
    isReference: Boolean,
    rows: Long,
    sums: Array[Double],
    products: Array[Double],
    sample: Seq[SampledVector],
)

private[vectors] object DriftSketch {

  /** The vectors in a sample: enough that PSI and AUC vary by about 0.01 between samples. */
  val SampleRows = 2000

  /** The sketches of the vectors of a partition, one for each set that it has vectors of. */
  def ofPartition(items: Iterator[DriftItem]): Iterator[DriftSketch] = {
    val builders = mutable.Map.empty[Boolean, DriftSketchBuilder]
    items.foreach { item =>
      builders
        .getOrElseUpdate(item.isReference, new DriftSketchBuilder(item.features.length))
        .add(SampledVector(item.draw, item.hash, item.features))
    }
    builders.iterator.map { case (isReference, builder) => builder.result(isReference) }
  }

  /** The sketch of all parts of one set; None if there is no part. */
  def merged(parts: Iterator[DriftSketch]): Map[Boolean, DriftSketch] = {
    val builders = mutable.Map.empty[Boolean, DriftSketchBuilder]
    parts.foreach { part =>
      builders
        .getOrElseUpdate(part.isReference, new DriftSketchBuilder(part.sums.length))
        .add(part)
    }
    builders.iterator.map { case (isReference, builder) =>
      isReference -> builder.result(isReference)
    }.toMap
  }
}

/** Sums up vectors of one dimension. */
final private class DriftSketchBuilder(dimension: Int) {

  private val rows = new Array[Long](1)
  private val sums = new Array[Double](dimension)
  private val products = new Array[Double](dimension * (dimension + 1) / 2)
  private val sample =
    mutable.PriorityQueue.empty[SampledVector](Ordering.by((one: SampledVector) => one.draw))

  def add(vector: SampledVector): Unit = {
    VectorMath.requireSame(FeatureDrift.Function, dimension, vector.features.length)
    rows(0) += 1
    addRow(vector.features, 0, 0)
    offer(vector)
  }

  def add(part: DriftSketch): Unit = {
    VectorMath.requireSame(FeatureDrift.Function, dimension, part.sums.length)
    rows(0) += part.rows
    addAll(sums, part.sums, 0)
    addAll(products, part.products, 0)
    part.sample.foreach(offer)
  }

  def result(isReference: Boolean): DriftSketch =
    DriftSketch(isReference, rows(0), sums, products, sample.toSeq.sortBy(_.hash))

  private def offer(vector: SampledVector): Unit =
    if (sample.sizeIs < DriftSketch.SampleRows) sample += vector: Unit
    else if (vector.draw < sample.head.draw) {
      sample.dequeue(): Unit
      sample += vector: Unit
    }

  @tailrec private def addRow(features: Array[Float], i: Int, at: Int): Unit =
    if (i < features.length) {
      sums(i) += features(i)
      addProducts(features, features(i).toDouble, i, 0, at)
      addRow(features, i + 1, at + i + 1)
    }

  @tailrec private def addProducts(
      features: Array[Float],
      value: Double,
      last: Int,
      j: Int,
      at: Int,
  ): Unit =
    if (j <= last) {
      products(at + j) += value * features(j)
      addProducts(features, value, last, j + 1, at)
    }

  @tailrec private def addAll(to: Array[Double], from: Array[Double], i: Int): Unit =
    if (i < to.length) {
      to(i) += from(i)
      addAll(to, from, i + 1)
    }
}
