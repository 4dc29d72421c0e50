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

  /**
   * @param written with columns `label` and `label_id`
   * @param classes the model's labels, in the order of their ids
   */
  def of(written: DataFrame, classes: Seq[String]): TrueLabels = {
    val (label, id) = (col(Columns.Label), col(Columns.LabelId))
    val isLabelled = label.isNotNull || id.isNotNull
    val isKnown = when(id.isNotNull, id.between(0, classes.size - 1))
      .otherwise(label.isNotNull && label.isInCollection(classes))
    val totals = written.agg(count_if(isLabelled), count_if(isLabelled && isKnown)).head()
    val commonest =
      if (totals.getLong(0) == totals.getLong(1)) Nil
      else {
        commonestOf(
          written.where(isLabelled && !isKnown),
          when(label.isNull, id.cast("string")).otherwise(label),
        )
      }
    TrueLabels(totals.getLong(0), totals.getLong(1), commonest)
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
