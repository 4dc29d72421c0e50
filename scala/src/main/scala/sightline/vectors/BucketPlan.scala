package sightline.vectors

import scala.util.Random
import scala.util.hashing.MurmurHash3

import sightline.plan.VectorMath

/**
 * Distributes vectors to buckets, so that two vectors are compared only if they share a bucket.
 *
 * A small table, or a recall of 1, has a bucket for each pair of blocks of the table: every pair is
 * compared. A larger table has buckets by locality-sensitive hashing: in each of several hash tables
 * the bucket is given by the sides of random hyperplanes on which the vector lies (SimHash, Charikar
 * 2002). A hyperplane separates vectors with angle α with probability α/π.
 */
sealed private[vectors] trait BucketPlan {

  /** The buckets of a vector of length 1, each at most once. */
  def buckets(id: String, unit: Array[Float]): Iterator[Long]
}

private[vectors] object BucketPlan {

  /** The most rows of which all pairs are compared. */
  val ExactRows = 10000

  private val BlockRows = 1024
  private val BucketRows = 500
  private val MaxTables = 64
  private val MaxBits = 40
  // The features of a network have no negative mean, so two images have an angle of about 66°, and a
  // hyperplane has both on one side with this probability.
  private val SameSide = 0.63

  /** The vectors of a partition, once for each of their buckets. */
  def distribute(items: Iterator[Item], threshold: Double, recall: Double): Iterator[BucketItem] = {
    val buffered = items.buffered
    buffered.headOption.fold(Iterator.empty[BucketItem]) { first =>
      VectorMath.requireSame(NearDuplicates.Function, first.set.least, first.set.most)
      val plan = of(first.set.rows, first.set.most, threshold, recall)
      buffered.flatMap { item =>
        val unit = scaled(item.features)
        plan.buckets(item.id, unit).map(BucketItem(_, item.id, unit))
      }
    }
  }

  /** The plan for a table. */
  def of(rows: Long, dimension: Int, threshold: Double, recall: Double): BucketPlan =
    if (rows <= ExactRows || recall == 1) new BlockPairs(((rows + BlockRows - 1) / BlockRows).toInt)
    else {
      val (tables, bits) = tablesAndBits(rows, threshold, recall)
      new Hyperplanes(tables, bits, dimension)
    }

  /**
   * The number of hash tables, and of hyperplanes of each table. There are as many hyperplanes as give
   * buckets of about [[BucketRows]] vectors, but not so many that more than [[MaxTables]] tables are
   * necessary for the recall.
   */
  def tablesAndBits(rows: Long, threshold: Double, recall: Double): (Int, Int) = {
    val same = sameSide(threshold)
    val wanted = math.ceil(math.log(rows.toDouble / BucketRows) / -math.log(SameSide)).toInt
    def tables(bits: Int): Double =
      math.ceil(math.log(1 - recall) / math.log(1 - math.pow(same, bits))).max(1)
    val bits = (1 to wanted.max(1).min(MaxBits)).filter(tables(_) <= MaxTables).lastOption
    bits.fold((MaxTables, 1))(found => (tables(found).toInt, found))
  }

  /** The probability that a pair of this cosine similarity shares a bucket. */
  def recallAt(similarity: Double, tables: Int, bits: Int): Double =
    1 - math.pow(1 - math.pow(sameSide(similarity), bits), tables)

  private def sameSide(similarity: Double): Double = 1 - math.acos(similarity.min(1.0)) / math.Pi

  private def scaled(vector: Array[Float]): Array[Float] = {
    val norm = math.sqrt(VectorMath.dot(vector, vector))
    vector.map(value => (value / norm).toFloat)
  }

  /** One bucket for each pair of blocks. */
  final private class BlockPairs(blocks: Int) extends BucketPlan {
    override def buckets(id: String, unit: Array[Float]): Iterator[Long] = {
      val own = Math.floorMod(MurmurHash3.stringHash(id), blocks)
      Iterator.range(0, blocks).map { other =>
        own.min(other).toLong * blocks + own.max(other)
      }
    }
  }

  final private class Hyperplanes(tables: Int, bits: Int, dimension: Int) extends BucketPlan {

    private val random = new Random(20261130)
    private val normals =
      Array.fill(tables, bits)(Array.fill(dimension)(random.nextGaussian().toFloat))

    override def buckets(id: String, unit: Array[Float]): Iterator[Long] =
      normals.iterator.zipWithIndex.map { case (planes, table) =>
        planes.foldLeft(table.toLong) { (key, plane) =>
          key << 1 | (if (VectorMath.dot(plane, unit) > 0) 1L else 0L)
        }
      }
  }
}
