package sightline.ml

import scala.util.Try

import org.apache.spark.ml.attribute.{Attribute, NominalAttribute}
import org.apache.spark.sql.functions.{array_position, lit}
import org.apache.spark.sql.types.{NumericType, StringType, StructField}
import org.apache.spark.sql.{Column, DataFrame}

import sightline.SightlineException
import sightline.source.Columns

/** The labels of training rows, and their indices. */
private[ml] object LabelIndex {

  // More labels than this are a column of identifiers.
  private val MostLabels = 10000

  /** @throws SightlineException WRONG_COLUMN_TYPE */
  def require(stage: String, label: StructField): Unit = label.dataType match {
    case _: StringType | _: NumericType => ()
    case other =>
      throw SightlineException(
        "WRONG_COLUMN_TYPE",
        "column" -> label.name,
        "type" -> other.sql,
        "expected" -> s"${StringType.sql} or a number",
        "subject" -> stage,
        "hint" -> "Set labelCol to the column of labels.",
      )
  }

  /**
   * The labels in the order of their indices. A column that StringIndexer made has its labels, also
   * those that no row has. Otherwise the labels are the values that occur: numbers by size, and
   * strings by their code points.
   *
   * @param rows the training rows
   */
  def of(stage: String, rows: DataFrame, label: StructField): Seq[String] =
    ofAttribute(label).getOrElse {
      val values = rows
        .select(Columns.quoted(label.name))
        .where(Columns.quoted(label.name).isNotNull)
        .distinct()
        .orderBy(Columns.quoted(label.name))
        .select(Columns.quoted(label.name).cast(StringType))
        .limit(MostLabels + 1)
        .collect()
        .map(_.getString(0))
        .toSeq
      if (values.size > MostLabels) {
        throw SightlineException(
          "WRONG_PARAM",
          "param" -> "labelCol",
          "stage" -> stage,
          "reason" -> s"names column '${label.name}', which has more than $MostLabels labels.",
        )
      }
      values
    }

  /** The index of a row's label, as a double; NULL for a label that is not one of `labels`. */
  def column(label: StructField, labels: Seq[String]): Column = {
    val value = Columns.quoted(label.name)
    if (ofAttribute(label).isDefined) value.cast("double")
    else {
      val position = array_position(lit(labels.toArray), value.cast(StringType))
      (position - lit(1)).cast("double")
    }
  }

  private def ofAttribute(label: StructField): Option[Seq[String]] = label.dataType match {
    case _: NumericType =>
      Try(Attribute.fromStructField(label)).toOption.collect {
        case nominal: NominalAttribute if nominal.values.isDefined => nominal.values.get.toSeq
      }
    case _ => None
  }
}
