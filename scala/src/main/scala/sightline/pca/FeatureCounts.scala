package sightline.pca

import org.apache.spark.sql.functions.{col, count, lit, max, min, size}

import sightline.SightlineException
import sightline.source.{Columns, Split}

/**
 * The counts of a table of features.
 *
 * @param features the length of the vectors
 * @param cells the number of rows with features, by label and split
 * @param errors the number of rows without features, by error code
 */
final case class FeatureCounts(
    features: Int,
    cells: Map[(Option[String], String), Long],
    errors: Map[String, Long],
) {

  /** The number of rows with features. */
  def rows: Long = cells.values.sum

  /** The number of rows with features of each split. */
  lazy val splits: Map[String, Long] = cells.groupMapReduce(_._1._2)(_._2)(_ + _)

  /** The number of rows with features of each label; None: rows without a label. */
  lazy val labels: Map[Option[String], Long] = cells.groupMapReduce(_._1._1)(_._2)(_ + _)

  /** Each label's rows by split, sorted by label; rows without a label first. */
  def classes: Seq[(Option[String], Map[String, Long])] =
    labels.keys.toSeq.sorted.map { label =>
      label -> cells.collect { case ((`label`, split), n) => split -> n }
    }
}

object FeatureCounts {

  /** The maximum number of labels: each one is a folder of the output and a line of its record. */
  private val MaxLabels = 10000
  private val MaxGroups = 3 * MaxLabels

  /** The code for rows that have neither features nor an error. */
  private val WithoutError = "NO_FEATURES"

  /**
   * Counts the rows in one pass over the table.
   *
   * @param name the table's name, for errors
   * @throws SightlineException NOT_FEATURES if there are no features, or features of different
   *   lengths; TOO_MANY_LABELS or TOO_MANY_SPLITS
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
    val errors =
      failed.groupMapReduce(row => Option(row.getAs[String]("code")).getOrElse(WithoutError))(
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
