package org.apache.spark.sql.sightline

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.{Partition, Partitioner, TaskContext}

/**
 * Rows of an operator that sends record batches to a Python worker, with a limit on the bytes of a
 * batch.
 *
 * Spark's own limit is 64 MB. A worker has about four batches in memory: one that is received, one that
 * is read ahead and one or two whose images are being decoded. Spark reads the limit in the task, from
 * the settings of the session, when it computes the operator's RDD. Its parents are computed in the same
 * call, so the operator's input must be in [[SessionSettingsExec]].
 */
final private[sightline] class SmallRecordBatches(rows: RDD[InternalRow])
    extends RDD[InternalRow](rows) {

  override val partitioner: Option[Partitioner] = rows.partitioner

  override protected def getPartitions: Array[Partition] = firstParent[InternalRow].partitions

  override def compute(split: Partition, context: TaskContext): Iterator[InternalRow] = {
    val conf = new SQLConf
    conf.settings.putAll(SQLConf.get.settings)
    conf.settings.put(SmallRecordBatches.Setting, SmallRecordBatches.Bytes.toString): Unit
    SQLConf.withExistingConf(conf)(firstParent[InternalRow].iterator(split, context))
  }
}

private[sightline] object SmallRecordBatches {
  private val Setting = SQLConf.ARROW_EXECUTION_MAX_BYTES_PER_BATCH.key

  /** The limit, which is also that of the commands without Spark. */
  private val Bytes = 8L << 20

  /** The rows with the limit, unless the session has a limit of its own. */
  def apply(rows: RDD[InternalRow], conf: SQLConf): RDD[InternalRow] =
    if (conf.contains(Setting)) rows else new SmallRecordBatches(rows)
}
