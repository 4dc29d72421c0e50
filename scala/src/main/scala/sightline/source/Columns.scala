package sightline.source

import org.apache.spark.sql.Column
import org.apache.spark.sql.functions.{col, struct, when}
import org.apache.spark.sql.types.*

/** Names and types of the columns that packages exchange. */
object Columns {
  val Path = "path"
  val RelativePath = "relative_path"
  val Length = "length"
  val ModificationTime = "modification_time"
  val Content = "content"
  val Error = "error"
  val Label = "label"
  val LabelId = "label_id"
  val Prediction = "prediction"
  val Features = "features"
  val Components = "components"
  val Filename = "filename"
  val Split = "split"

  /** The columns of the bytes and the reading error that the worker gets; reserved names. */
  val WorkerContent = "__content"
  val WorkerError = "__error"
  val OfWorker: Set[String] = Set(WorkerContent, WorkerError)

  /** The column of this name, whatever characters the name has. */
  def quoted(name: String): Column = col(quotedName(name))

  /** A field of a column, by the names on the way from the column to the field. */
  def field(path: Seq[String]): Column = path.tail.foldLeft(quoted(path.head))(_.getField(_))

  /** A name in backticks, for SQL. */
  def quotedName(name: String): String = s"`${name.replace("`", "``")}`"

  /** The error of an image: `struct<code, stage, message>`. */
  val ErrorType: StructType = new StructType()
    .add("code", StringType)
    .add("stage", StringType)
    .add("message", StringType)

  /**
   * A table's column `error`, with the fields in the order of [[ErrorType]]; null for rows without an
   * error. None if the table has no column of that name and type.
   */
  def errorOf(table: StructType): Option[Column] =
    table.find(field => field.name == Error && isError(field.dataType)).map { _ =>
      val fields = ErrorType.fieldNames.toSeq.map(name => quoted(Error).getField(name).as(name))
      when(quoted(Error).isNotNull, struct(fields: _*))
    }

  /** Whether a type is that of an error, with the fields in any order. */
  def isError(column: DataType): Boolean = column match {
    case struct: StructType =>
      struct.forall(_.dataType == StringType) &&
      struct.fieldNames.toSet == ErrorType.fieldNames.toSet
    case _ => false
  }

  private val Score = new StructType()
    .add("label", StringType)
    .add("class_id", IntegerType)
    .add("score", FloatType)

  /** A prediction: the label with the highest score, and the `top_k` best labels. */
  val PredictionType: StructType = Score.add("top_k", ArrayType(Score))

  /** The columns of a CSV of predictions that replace `prediction` and `error`. */
  val Flat: Set[String] =
    Seq(Prediction -> PredictionType, Error -> ErrorType).flatMap { case (name, fields) =>
      fields.fieldNames.map(field => s"${name}_$field")
    }.toSet
}
