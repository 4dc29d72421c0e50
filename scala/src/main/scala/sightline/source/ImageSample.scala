package sightline.source

import scala.util.Random

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.functions.rand
import org.apache.spark.sql.sightline.PartitionSample

/**
 * A sample of the images of a run, which is the same for the same input.
 *
 * @param images the number of images; the input may give fewer
 * @param tasks the number of partitions, at most
 */
final case class ImageSample(images: Int, tasks: Int, seed: Long) {

  /** One index of each of `images` equal parts of the indices below `size`, in their order. */
  private[source] def indices(size: Int): IndexedSeq[Int] = {
    val random = new Random(seed)
    val parts = math.min(images, size)
    (0 until parts).map { part =>
      val from = (part.toLong * size / parts).toInt
      val until = ((part + 1L) * size / parts).toInt
      from + random.nextInt(until - from)
    }
  }

  /** Some rows of a frame that does not contain the images' bytes. */
  private[source] def ofDescriptions(rows: DataFrame): DataFrame = {
    val spark = rows.sparkSession
    val taken = rows.orderBy(rand(seed)).limit(images).collect().toSeq
    // Spark would evaluate the expressions over a frame of local rows on the driver, and read there.
    spark.createDataFrame(spark.sparkContext.parallelize(taken, tasks), rows.schema)
  }

  /** The first rows of `tasks` partitions that are spread over a frame of images. */
  private[source] def ofPartitions(rows: DataFrame): DataFrame = {
    val parts = ImageSample(tasks, tasks, seed)
    PartitionSample(rows, parts.indices, (images + tasks - 1) / tasks)
  }
}
