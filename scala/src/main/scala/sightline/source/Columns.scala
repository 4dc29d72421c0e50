package sightline.source

import org.apache.spark.sql.Column
import org.apache.spark.sql.functions.col
import org.apache.spark.sql.types.*

/** Names and types of the columns that cross between the rooms. */
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

  /** The bytes and the reading error on their way to the worker; no table calls columns so. */
  val WorkerContent = "__content"
  val WorkerError = "__error"
  val OfWorker: Set[String] = Set(WorkerContent, WorkerError)

  /** A table's column by its name, whatever is in that. */
  def quoted(name: String): Column = col(quotedName(name))

  /** A field of a table's column: the names from the column down to it. */
  def field(path: Seq[String]): Column = path.tail.foldLeft(quoted(path.head))(_.getField(_))

  /** A name as SQL has it, whatever is in it. */
  def quotedName(name: String): String = s"`${name.replace("`", "``")}`"

  /** Why there is no prediction: `struct<code, stage, message>`. */
  val ErrorType: StructType = new StructType()
    .add("code", StringType)
    .add("stage", StringType)
    .add("message", StringType)

  /** Whether a table's column is one of reading errors, its fields in any order. */
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

  /** What the model says: the best label, and the best `top_k` of them. */
  val PredictionType: StructType = Score.add("top_k", ArrayType(Score))

  /** What a CSV of predictions has instead of `prediction` and `error`. */
  val Flat: Set[String] =
    Seq(Prediction -> PredictionType, Error -> ErrorType).flatMap { case (name, fields) =>
      fields.fieldNames.map(field => s"${name}_$field")
    }.toSet
}
