package sightline.report

import org.apache.spark.sql.functions.{col, count, count_if, lit, when}
import org.apache.spark.sql.{Column, DataFrame}
import org.json4s.JObject
import org.json4s.JsonDSL.*

import sightline.source.Columns

/**
 * How the true labels of a run's images fit the labels of its model.
 *
 * @param labelled images with a true label or class id
 * @param known those whose class id, or else label, is one of the model's
 * @param commonest true labels that are none of the model's, with their images: the ten commonest
 */
final case class TrueLabels(labelled: Long, known: Long, commonest: Seq[(String, Long)]) {

  def json: JObject = ("labelled" -> labelled) ~ ("known" -> known)

  /** Whether an accuracy would say something of the model, not of the way its classes are called. */
  def areComparable: Boolean = labelled > 0 && 2 * known >= labelled

  /** One line that says how many labels fit. */
  def summary: String =
    if (labelled == 0) "True labels: none"
    else f"True labels: $known%,d of $labelled%,d images have one of the model's labels"

  /** What does not fit, if anything. */
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
   * Aggregates of rows with columns `label` and `label_id`: how many are labelled, and how many of
   * these with a label of the model's.
   *
   * @param classes the model's labels, in the order of their ids
   */
  def counts(classes: Seq[String]): Seq[Column] =
    Seq(count_if(isLabelled), count_if(isLabelled && isKnown(classes)))

  /**
   * @param written the rows
   * @param labelled and `known`: the sums of [[counts]] over them
   */
  def of(written: DataFrame, classes: Seq[String], labelled: Long, known: Long): TrueLabels = {
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

  /** Labels with their images, in quotes, so that a space at an end can be seen. */
  def listed(labels: Seq[(String, Long)]): String =
    labels.map { case (label, images) => f"'$label' ($images%,d)" }.mkString(", ")

  private def shown(classes: Seq[String]): String = {
    val first = classes.take(Commonest).map(label => s"'$label'").mkString(", ")
    if (classes.size > Commonest) f"$first … (${classes.size}%,d)" else first
  }
}
