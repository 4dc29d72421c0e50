package org.apache.spark.sql.sightline

import org.apache.spark.sql.catalyst.expressions.{DirectShufflePartitionID, Expression}
import org.apache.spark.sql.catalyst.plans.physical.{Partitioning, ShufflePartitionIdPassThrough}

/** A shuffle that keeps the rows of a partition together. */
object PartitionNumbers {

  /** Partitions rows by a number modulo `partitions`. */
  def partitioning(number: Expression, partitions: Int): Partitioning =
    ShufflePartitionIdPassThrough(DirectShufflePartitionID(number), partitions)
}
