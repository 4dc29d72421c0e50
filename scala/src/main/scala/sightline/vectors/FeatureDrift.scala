package sightline.vectors

import org.apache.spark.sql.functions.{col, lit, monotonically_increasing_id, xxhash64}
import org.apache.spark.sql.{DataFrame, Encoders}

import sightline.source.Columns

/**
 * Compares two sets of features, for example of the images that a model was trained on and of those
 * that it gets now.
 *
 * @param features the column of vectors in both tables, `ARRAY<FLOAT>` of one dimension
 */
final case class FeatureDrift(features: String = Columns.Features) {

  /**
   * A table `feature, measure, value, verdict`: first the measures of the whole sets, whose `feature`
   * is NULL, then the measures of each feature, whose number starts at 0. [[DriftReport]] has the
   * measures. Rows with a vector that is NULL or empty, or contains NULL, NaN or an infinity, are not
   * compared. Each frame is read once. No job runs before the result is used.
   *
   * @throws sightline.SightlineException UNKNOWN_COLUMN, WRONG_COLUMN_TYPE; in a job
   *   VECTOR_DIMENSION_MISMATCH, or WRONG_ARGUMENTS if a set has fewer than two vectors
   */
  def compare(reference: DataFrame, current: DataFrame): DataFrame = {
    val both =
      vectors(reference, isReference = true).unionAll(vectors(current, isReference = false))
    both
      .as[DriftItem](Encoders.product)
      .mapPartitions(DriftSketch.ofPartition(_))(Encoders.product)
      .repartition(1)
      .mapPartitions(DriftReport.of(_))(Encoders.product)
      .toDF()
  }

  private def vectors(table: DataFrame, isReference: Boolean): DataFrame =
    table
      .select(VectorTable.vectors(FeatureDrift.Function, table, features).as("features"))
      .where(VectorTable.isFinite(col("features")))
      .select(
        lit(isReference).as("isReference"),
        xxhash64(col("features"), monotonically_increasing_id()).as("draw"),
        xxhash64(col("features")).as("hash"),
        col("features"),
      )
}

object FeatureDrift {

  /** The name of the table function. */
  val Function = "feature_drift"
}

/** A vector of one of the two sets, with the numbers of [[SampledVector]]. */
final private[vectors] case class DriftItem(
    isReference: Boolean,
    draw: Long,
    hash: Long,
    features: Array[Float],
)

/**
 * A measure of drift.
 *
 * @param feature the number of the feature, from 0; None: of all features
 * @param verdict `none`, `moderate` or `large`; None for a number without a fixed threshold
 */
final case class DriftRow(
    feature: Option[Int],
    measure: String,
    value: Double,
    verdict: Option[String],
)
