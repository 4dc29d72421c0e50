package sightline.pca

import java.nio.{ByteBuffer, ByteOrder}

import scala.annotation.tailrec

import org.apache.spark.sql.functions.col
import org.apache.spark.sql.sightline.PlanFrame
import org.apache.spark.sql.types.*
import org.apache.spark.sql.{DataFrame, Row}

/**
 * The principal components of features that are scaled to mean 0 and variance 1.
 *
 * @param means the mean of each feature
 * @param deviations the sample standard deviation of each feature
 * @param shares the share of the total variance of every component, 0 to 1, descending
 * @param directions the first components, each of length 1; empty if a feature is not finite or no
 *   feature varies
 */
final case class ComponentFit(
    means: Array[Double],
    deviations: Array[Double],
    shares: Array[Double],
    directions: Seq[Array[Double]],
)

/**
 * Fits components in the Python workers, because numpy's BLAS adds a row to a covariance matrix in a
 * tenth of the time of the JVM's.
 */
object ComponentFit {

  /** The number of partitions whose sums one task merges. */
  private val FanIn = 32

  private val Part = "part"
  private val At = "at"

  private val Pieces = new StructType()
    .add(Part, LongType)
    .add(At, IntegerType)
    .add("rows", LongType)
    .add("shift", DoubleType)
    .add("offset", DoubleType)
    .add("products", BinaryType)

  private val Solution = new StructType()
    .add(At, IntegerType)
    .add("mean", DoubleType)
    .add("deviation", DoubleType)
    .add("share", DoubleType)
    .add("direction", BinaryType)

  /**
   * Fits all components in one pass over the rows. A task holds a block of rows and the sums of the
   * covariances; the driver holds only the result.
   *
   * @param vectors at least two rows with a column `features` of packed numbers;
   *   other columns cost their transfer to the workers
   * @param length the number of features
   * @param k the number of directions to keep, 1 to the number of features
   */
  def apply(vectors: DataFrame, length: Int, k: Int): ComponentFit = {
    val parts = ComponentsWorker.moments(vectors, length, Pieces)
    val partitions = PlanFrame.partitions(parts)
    val solved =
      ComponentsWorker.solve(sorted(merged(parts, partitions).repartition(1)), k, Solution)
    of(solved.collect().toSeq.sortBy(_.getAs[Int](At)))
  }

  @tailrec
  private def merged(parts: DataFrame, count: Int): DataFrame =
    if (count <= FanIn) parts
    else {
      val groups = (count + FanIn - 1) / FanIn
      val grouped = sorted(parts.repartition(groups, col(Part)))
      merged(ComponentsWorker.merge(grouped, Pieces), groups)
    }

  private def sorted(pieces: DataFrame): DataFrame = pieces.sortWithinPartitions(Part, At)

  private def of(rows: Seq[Row]): ComponentFit = {
    def numbers(name: String): Array[Double] = rows.map(_.getAs[Double](name)).toArray
    ComponentFit(
      numbers("mean"),
      numbers("deviation"),
      numbers("share"),
      rows.flatMap(row => Option(row.getAs[Array[Byte]]("direction"))).map(doubles),
    )
  }

  private def doubles(bytes: Array[Byte]): Array[Double] = {
    val numbers = new Array[Double](bytes.length / java.lang.Double.BYTES)
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asDoubleBuffer.get(numbers): Unit
    numbers
  }
}
