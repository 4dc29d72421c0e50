package sightline.vectors

import scala.collection.mutable

import sightline.plan.VectorMath

/** Compares the vectors of a bucket. */
private[vectors] object SimilarPairs {

  // Vectors of length 1 in single precision: the product of equal vectors is 1 within this.
  private val Rounding = 1e-6

  /**
   * Pairs that connect the vectors of a bucket as all its similar pairs do. A vector is compared with
   * the members of a component only until one is similar, so many copies of one image cost one
   * comparison each.
   */
  def edges(bucket: IndexedSeq[BucketItem], threshold: Double): Iterator[Edge] = {
    val components = mutable.ArrayBuffer.empty[mutable.ArrayBuffer[BucketItem]]
    bucket.iterator.flatMap { item =>
      val (joined, others) = components.iterator
        .map { component =>
          component -> component.find { other =>
            VectorMath.dot(item.unit, other.unit) >= threshold - Rounding
          }
        }
        .toIndexedSeq
        .partition { case (_, similar) => similar.isDefined }
      if (joined.isEmpty) components += mutable.ArrayBuffer(item)
      else {
        // The largest component takes the others.
        val (largest, _) = joined.maxBy { case (component, _) => component.size }
        joined.foreach { case (component, _) => if (component ne largest) largest ++= component }
        largest += item
        if (joined.sizeIs > 1) {
          components.clear()
          components ++= others.map { case (component, _) => component } += largest
        }
      }
      joined.iterator.flatMap { case (_, similar) => similar.map(other => Edge(item.id, other.id)) }
    }
  }
}
