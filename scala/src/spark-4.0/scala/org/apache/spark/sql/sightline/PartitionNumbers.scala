package org.apache.spark.sql.sightline

import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.plans.physical.{HashPartitioning, Partitioning}

/** A shuffle that keeps the rows of a partition together. */
object PartitionNumbers {

  /**
   * Partitions rows by the hash of a number. Spark 4.0 cannot partition by the number itself, so some of the
   * new partitions have the rows of several old ones, and others have none.
   */
  def partitioning(number: Expression, partitions: Int): Partitioning =
    HashPartitioning(Seq(number), partitions)
}
