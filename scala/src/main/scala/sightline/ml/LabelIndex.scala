package sightline.ml

import scala.util.Try

import org.apache.spark.ml.attribute.{Attribute, NominalAttribute}
import org.apache.spark.sql.functions.{array_position, col, lit, when}
import org.apache.spark.sql.types.{DoubleType, FloatType, NumericType, StringType, StructField}
import org.apache.spark.sql.{Column, DataFrame}

import sightline.SightlineException
import sightline.source.Columns

/** The labels of training rows, and their indices. */
private[ml] object LabelIndex {

  private val Value = "value"

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
   * strings by their code points. The numbers 0.0 and -0.0 are one label.
   *
   * @param rows the training rows
   * @throws SightlineException WRONG_PARAM for too many labels, or the number NaN
   */
  def of(stage: String, rows: DataFrame, label: StructField): Seq[String] =
    ofAttribute(label).getOrElse {
      val values = rows
        .select(valueOf(label).as(Value))
        .where(col(Value).isNotNull)
        .distinct()
        .orderBy(Value)
        .select(col(Value).cast(StringType))
        .limit(MostLabels + 1)
        .collect()
        .map(_.getString(0))
        .toSeq
      def wrong(why: String): SightlineException = SightlineException(
        "WRONG_PARAM",
        "param" -> "labelCol",
        "stage" -> stage,
        "reason" -> s"names column '${label.name}', which has $why.",
      )
      if (values.size > MostLabels) throw wrong(s"more than $MostLabels labels")
      if (isFloating(label) && values.contains("NaN")) {
        throw wrong("rows with the label NaN. Remove them, or set their labels to NULL")
      }
      values
    }

  /** The index of a row's label, as a double; NULL for a label that is not one of `labels`. */
  def column(label: StructField, labels: Seq[String]): Column =
    if (ofAttribute(label).isDefined) Columns.quoted(label.name).cast("double")
    else {
      val position = array_position(lit(labels.toArray), valueOf(label).cast(StringType))
      when(position > 0, position - lit(1)).cast("double")
    }

  /** The labels of the rows, with 0.0 for -0.0: the two are equal, but have different texts. */
  private def valueOf(label: StructField): Column = {
    val value = Columns.quoted(label.name)
    if (isFloating(label)) when(value === 0, lit(0).cast(label.dataType)).otherwise(value)
    else value
  }

  private def isFloating(label: StructField): Boolean =
    label.dataType == FloatType || label.dataType == DoubleType

  private def ofAttribute(label: StructField): Option[Seq[String]] = label.dataType match {
    case _: NumericType =>
      Try(Attribute.fromStructField(label)).toOption.collect {
        case nominal: NominalAttribute if nominal.values.isDefined => nominal.values.get.toSeq
      }
    case _ => None
  }
}
