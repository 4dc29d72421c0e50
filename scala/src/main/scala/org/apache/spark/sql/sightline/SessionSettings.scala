package org.apache.spark.sql.sightline

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.internal.{ReadOnlySQLConf, SQLConf}
import org.apache.spark.{Partition, Partitioner, TaskContext}

/** Rows that are computed with the settings of the session, below a [[SmallRecordBatches]]. */
final private[sightline] class SessionSettings(rows: RDD[InternalRow])
    extends RDD[InternalRow](rows) {

  override val partitioner: Option[Partitioner] = rows.partitioner

  override protected def getPartitions: Array[Partition] = firstParent[InternalRow].partitions

  override def compute(split: Partition, context: TaskContext): Iterator[InternalRow] =
    SQLConf.withExistingConf(new ReadOnlySQLConf(context)) {
      firstParent[InternalRow].iterator(split, context)
    }
}
