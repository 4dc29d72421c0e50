package org.apache.spark.sql.sightline

import org.apache.spark.rdd.PartitionPruningRDD
import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.classic.ClassicConversions.castToImpl

/** The first rows of some partitions of a frame. The other partitions are not read. */
object PartitionSample {

  /**
   * @param chosen returns the numbers of the partitions to read, for the number of all partitions
   * @param most the maximum number of rows of each partition
   */
  def apply(rows: DataFrame, chosen: Int => Seq[Int], most: Int): DataFrame = {
    val classic = castToImpl(rows)
    val all = classic.queryExecution.toRdd
    val some = PartitionPruningRDD
      .create(all, chosen(all.getNumPartitions).toSet)
      .mapPartitions(_.take(most), preservesPartitioning = true)
    classic.sparkSession.internalCreateDataFrame(some, rows.schema)
  }
}
