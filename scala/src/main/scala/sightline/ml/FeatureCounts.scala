package sightline.ml

import org.apache.spark.sql.functions.{col, count, lit, max, min, size}

import sightline.SightlineException
import sightline.source.{Columns, Split}

/**
 * What a table of features holds.
 *
 * @param features how long the vectors are
 * @param cells rows with features by label and split
 * @param errors rows without, by code
 */
final case class FeatureCounts(
    features: Int,
    cells: Map[(Option[String], String), Long],
    errors: Map[String, Long],
) {

  /** How many rows have features. */
  def rows: Long = cells.values.sum

  /** Rows of each split. */
  lazy val splits: Map[String, Long] = cells.groupMapReduce(_._1._2)(_._2)(_ + _)

  /** Rows of each label. */
  lazy val labels: Map[Option[String], Long] = cells.groupMapReduce(_._1._1)(_._2)(_ + _)

  /** Each label's rows by split, in the order of the labels; those without one first. */
  def classes: Seq[(Option[String], Map[String, Long])] =
    labels.keys.toSeq.sorted.map { label =>
      label -> cells.collect { case ((`label`, split), n) => split -> n }
    }
}

object FeatureCounts {

  /** Each label is a folder of the output, and a line of its record. */
  private val MaxLabels = 10000
  private val MaxGroups = 3 * MaxLabels

  /** Rows without features and without an error: nobody said why. */
  private val Untold = "NO_FEATURES"

  /**
   * Counts, by one pass over the table.
   *
   * @param name of the table, for errors
   * @throws SightlineException NOT_FEATURES where there are none, or of different lengths;
   *   TOO_MANY_LABELS or TOO_MANY_SPLITS
   */
  def of(table: FeatureTable, name: String): FeatureCounts = {
    val length = size(col(Columns.Features))
    val groups = table.rows
      .groupBy(
        col(Columns.Label),
        col(Columns.Split),
        col(Columns.Features).isNotNull.as("has_features"),
        col(Columns.Error).getField("code").as("code"),
      )
      .agg(count(lit(1)).as("rows"), min(length).as("shortest"), max(length).as("longest"))
      .limit(MaxGroups + 1)
      .collect()
      .toSeq
    limit(name, "TOO_MANY_LABELS", "labels in its splits", groups.size, MaxGroups)
    val (described, failed) = groups.partition(_.getAs[Boolean]("has_features"))
    if (described.isEmpty) throw notFeatures(name, "none of its rows has features")
    val shortest = described.map(_.getAs[Int]("shortest")).min
    val longest = described.map(_.getAs[Int]("longest")).max
    if (shortest != longest) {
      throw notFeatures(name, s"some rows have $shortest features and others $longest")
    }
    val cells = described.groupMapReduce(row =>
      Option(row.getAs[String](Columns.Label)) -> row.getAs[String](Columns.Split)
    )(_.getAs[Long]("rows"))(_ + _)
    val errors = failed.groupMapReduce(row => Option(row.getAs[String]("code")).getOrElse(Untold))(
      _.getAs[Long]("rows")
    )(_ + _)
    val counts = FeatureCounts(longest, cells, errors)
    limit(name, "TOO_MANY_LABELS", "labels", counts.labels.size, MaxLabels)
    limit(name, "TOO_MANY_SPLITS", "splits", counts.splits.size, Split.Most)
    counts
  }

  private def limit(name: String, condition: String, what: String, found: Int, most: Int): Unit =
    if (found > most) {
      throw SightlineException(condition, "table" -> name, "most" -> most, "what" -> what)
    }

  private def notFeatures(name: String, why: String): SightlineException =
    SightlineException("NOT_FEATURES", "table" -> name, "reason" -> why)
}
