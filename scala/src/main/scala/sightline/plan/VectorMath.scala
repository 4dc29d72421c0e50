package sightline.plan

import java.lang.{Double as NullableDouble, Float as NullableFloat}

import scala.annotation.tailrec

import org.apache.spark.sql.catalyst.util.ArrayData

import sightline.SightlineException

/**
 * Similarities and distances of vectors. Sums are computed in double precision. The methods for
 * `ArrayData` are called by Spark's generated code; their result is null if an element is NULL.
 */
object VectorMath {

  val CosineSimilarity = "vector_cosine_similarity"
  val InnerProduct = "vector_inner_product"
  val L2Distance = "vector_l2_distance"

  /**
   * The cosine of the angle between two vectors; null if a vector is empty or all its elements are 0.
   *
   * @throws SightlineException VECTOR_DIMENSION_MISMATCH
   */
  def cosineSimilarity(left: ArrayData, right: ArrayData): NullableFloat =
    ofFloats(CosineSimilarity, left, right) { (a, b) =>
      val norms = math.sqrt(dot(a, a)) * math.sqrt(dot(b, b))
      if (norms == 0) None.orNull else NullableFloat.valueOf((dot(a, b) / norms).toFloat)
    }

  /**
   * The sum of the products of the elements; 0 for empty vectors.
   *
   * @throws SightlineException VECTOR_DIMENSION_MISMATCH
   */
  def innerProduct(left: ArrayData, right: ArrayData): NullableFloat =
    ofFloats(InnerProduct, left, right)((a, b) => NullableFloat.valueOf(dot(a, b).toFloat))

  /**
   * The Euclidean distance; 0 for empty vectors.
   *
   * @throws SightlineException VECTOR_DIMENSION_MISMATCH
   */
  def l2Distance(left: ArrayData, right: ArrayData): NullableFloat =
    ofFloats(L2Distance, left, right) { (a, b) =>
      NullableFloat.valueOf(math.sqrt(squaredDistance(a, b)).toFloat)
    }

  /** The sum of the squares of the elements; 0 for an empty vector. */
  def sumOfSquares(vector: ArrayData): NullableDouble =
    if (hasNull(vector, 0)) None.orNull
    else {
      val values = vector.toFloatArray()
      NullableDouble.valueOf(dot(values, values))
    }

  /** The sum of the products of the elements of two arrays of one length. */
  def dot(a: Array[Float], b: Array[Float]): Double = {
    // Four sums: one alone waits for the previous addition in each step.
    @tailrec def from(i: Int, s0: Double, s1: Double, s2: Double, s3: Double): Double =
      if (i + 3 < a.length) {
        from(
          i + 4,
          s0 + a(i).toDouble * b(i),
          s1 + a(i + 1).toDouble * b(i + 1),
          s2 + a(i + 2).toDouble * b(i + 2),
          s3 + a(i + 3).toDouble * b(i + 3),
        )
      } else if (i < a.length) from(i + 1, s0 + a(i).toDouble * b(i), s1, s2, s3)
      else s0 + s1 + (s2 + s3)
    from(0, 0, 0, 0, 0)
  }

  private def squaredDistance(a: Array[Float], b: Array[Float]): Double = {
    @tailrec def from(i: Int, s0: Double, s1: Double): Double =
      if (i + 1 < a.length) from(i + 2, s0 + square(a(i), b(i)), s1 + square(a(i + 1), b(i + 1)))
      else if (i < a.length) s0 + square(a(i), b(i)) + s1
      else s0 + s1
    from(0, 0, 0)
  }

  private def square(a: Float, b: Float): Double = {
    val difference = a.toDouble - b
    difference * difference
  }

  private def ofFloats(function: String, left: ArrayData, right: ArrayData)(
      value: (Array[Float], Array[Float]) => NullableFloat
  ): NullableFloat = {
    requireSame(function, left.numElements(), right.numElements())
    if (hasNull(left, 0) || hasNull(right, 0)) None.orNull
    else value(left.toFloatArray(), right.toFloatArray())
  }

  /** @throws SightlineException VECTOR_DIMENSION_MISMATCH */
  def requireSame(function: String, left: Int, right: Int): Unit =
    if (left != right) {
      throw SightlineException(
        "VECTOR_DIMENSION_MISMATCH",
        "functionName" -> function,
        "leftDim" -> left,
        "rightDim" -> right,
      )
    }

  @tailrec private def hasNull(array: ArrayData, from: Int): Boolean =
    from < array.numElements() && (array.isNullAt(from) || hasNull(array, from + 1))
}
