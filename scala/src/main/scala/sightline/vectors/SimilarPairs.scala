package sightline.vectors

import scala.annotation.tailrec
import scala.collection.mutable

import sightline.plan.VectorMath

/** Compares the vectors of a bucket. */
private[vectors] object SimilarPairs {

  // Vectors of length 1 in single precision: the product of equal vectors is 1 within this.
  private val Rounding = 1e-6

  /**
   * Pairs that connect the vectors of a bucket as all its similar pairs do. Vectors that are connected
   * already are not compared, so a copy of one image costs one comparison.
   */
  def edges(bucket: IndexedSeq[BucketItem], threshold: Double): Iterator[Edge] = {
    val units = bucket.map(_.unit).toArray
    val least = threshold - Rounding
    val components = Array.range(0, units.length)
    val found = mutable.ArrayBuffer.empty[Edge]

    def join(i: Int, j: Int): Unit = {
      found += Edge(bucket(i).id, bucket(j).id)
      val (old, kept) = (components(i), components(j))
      (0 to i).foreach(k => if (components(k) == old) components(k) = kept)
    }

    @tailrec def compare(i: Int, j: Int): Unit =
      if (i < units.length) {
        if (j == i) compare(i + 1, 0)
        else {
          if (components(j) != components(i) && VectorMath.dot(units(i), units(j)) >= least) {
            join(i, j)
          }
          compare(i, j + 1)
        }
      }

    compare(0, 0)
    found.iterator
  }
}
