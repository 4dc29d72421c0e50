package sightline.report

import org.apache.spark.sql.functions.{col, count, lit, when}
import org.apache.spark.sql.sightline.LabelCounts
import org.apache.spark.sql.{Column, DataFrame, SparkSession}
import org.json4s.JObject
import org.json4s.JsonDSL.*

import sightline.source.Columns

/**
 * Compares the true labels of a run's images with the labels of its model.
 *
 * @param labelled the number of images with a true label or class id
 * @param known the number of these whose class id, or else label, is one of the model's
 * @param commonest the ten most frequent true labels that the model does not have, with their images
 */
final case class TrueLabels(labelled: Long, known: Long, commonest: Seq[(String, Long)]) {

  def json: JObject = ("labelled" -> labelled) ~ ("known" -> known)

  /** Whether an accuracy would be meaningful: at least half of the true labels are the model's. */
  def areComparable: Boolean = labelled > 0 && 2 * known >= labelled

  /** One line with the number of true labels that the model has. */
  def summary: String =
    if (labelled == 0) "True labels: none"
    else f"True labels: $known%,d of $labelled%,d images have one of the model's labels"

  /** A warning about true labels that the model does not have; None if there are none. */
  def warning(model: String, classes: Seq[String]): Option[String] =
    Option.when(known < labelled) {
      f"${labelled - known}%,d of $labelled%,d true labels are none of $model's: " +
        s"${TrueLabels.listed(commonest)}. Its labels: ${TrueLabels.shown(classes)}. Labels must be " +
        "equal letter by letter, spaces included."
    }
}

object TrueLabels {

  private val Commonest = 10

  private val label = col(Columns.Label)
  private val id = col(Columns.LabelId)
  private val isLabelled = label.isNotNull || id.isNotNull

  private def isKnown(classes: Seq[String]): Column =
    when(id.isNotNull, id.between(0, classes.size - 1))
      .otherwise(label.isNotNull && label.isInCollection(classes))

  /**
   * Counts of the true labels in a run's rows.
   *
   * @param classes the model's labels, sorted by class id
   * @param countsFailed whether images with an error count
   */
  def counts(spark: SparkSession, classes: Seq[String], countsFailed: Boolean): LabelCounts =
    LabelCounts.register(spark, (Columns.Label, Columns.LabelId), classes, countsFailed)

  /**
   * The comparison for the rows that a run wrote.
   *
   * @param written the rows; they are read only if the model does not have all of their labels
   */
  def of(written: => DataFrame, classes: Seq[String], counts: Seq[LabelCounts]): TrueLabels = {
    val (labelled, known) = (counts.map(_.labelled).sum, counts.map(_.known).sum)
    val commonest =
      if (labelled == known) Nil
      else {
        commonestOf(
          written.where(isLabelled && !isKnown(classes)),
          when(label.isNull, id.cast("string")).otherwise(label),
        )
      }
    TrueLabels(labelled, known, commonest)
  }

  private def commonestOf(rows: DataFrame, label: Column): Seq[(String, Long)] =
    rows
      .groupBy(label.as("label"))
      .agg(count(lit(1)).as("images"))
      .orderBy(col("images").desc, col("label"))
      .limit(Commonest)
      .collect()
      .toSeq
      .map(row => row.getString(0) -> row.getLong(1))

  /** Labels with the number of their images, in quotes, which make spaces at the ends visible. */
  def listed(labels: Seq[(String, Long)]): String =
    labels.map { case (label, images) => f"'$label' ($images%,d)" }.mkString(", ")

  private def shown(classes: Seq[String]): String = {
    val first = classes.take(Commonest).map(label => s"'$label'").mkString(", ")
    if (classes.size > Commonest) f"$first … (${classes.size}%,d)" else first
  }
}
