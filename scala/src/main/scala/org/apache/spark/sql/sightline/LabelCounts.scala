package org.apache.spark.sql.sightline

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.Attribute
import org.apache.spark.unsafe.types.UTF8String
import org.apache.spark.util.LongAccumulator

/**
 * The exact numbers of rows with a true label, and with a true label that the model has. A class id
 * counts before a label.
 *
 * @param columns the columns of labels (string) and of class ids (int)
 * @param classes the model's labels, sorted by class id
 * @param countsFailed whether rows with an error count
 */
final class LabelCounts private (
    columns: (String, String),
    classes: Array[String],
    countsFailed: Boolean,
    withLabel: LongAccumulator,
    withKnownLabel: LongAccumulator,
) extends Serializable {

  /** The number of rows with a label or a class id. */
  def labelled: Long = withLabel.sum

  /** The number of these rows whose class id, or else label, is one of the model's. */
  def known: Long = withKnownLabel.sum

  /** Adds a row of a partition; the second argument is whether the row has an error. */
  private[sightline] def adder(output: Seq[Attribute]): (InternalRow, Boolean) => Unit = {
    val (label, id) = columns
    val (labelAt, idAt) = (output.indexWhere(_.name == label), output.indexWhere(_.name == id))
    val names = classes.iterator.map(UTF8String.fromString).toSet
    (row, failed) => {
      val (hasLabel, hasId) = (!row.isNullAt(labelAt), !row.isNullAt(idAt))
      if ((hasLabel || hasId) && (countsFailed || !failed)) {
        withLabel.add(1L)
        val isKnown =
          if (hasId) classes.indices.contains(row.getInt(idAt))
          else names(row.getUTF8String(labelAt))
        if (isKnown) withKnownLabel.add(1L)
      }
    }
  }
}

object LabelCounts {

  /** Creates counts and registers their accumulators. */
  def register(
      spark: SparkSession,
      columns: (String, String),
      classes: Seq[String],
      countsFailed: Boolean,
  ): LabelCounts = {
    val context = spark.sparkContext
    val (withLabel, withKnownLabel) = (context.longAccumulator, context.longAccumulator)
    new LabelCounts(columns, classes.toArray, countsFailed, withLabel, withKnownLabel)
  }
}
