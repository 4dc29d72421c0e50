package sightline.source

import org.apache.spark.sql.types.{BinaryType, StructField, StructType}

import sightline.SightlineException

/**
 * Which columns of a table hold or name the images, and their true labels.
 *
 * @param path column of paths; by default the first of `path`, `image_path`, `file`
 * @param label column of labels; by default the first of `label`, `actual_class`, `class`
 * @param labelId column of class ids; by default the first of `class_id`, `actual_class_id`,
 *   `label_id`
 * @param root folder or URI that relative paths start from; by default the table's folder
 * @param content column of the images' bytes; by default `content`, where it is binary
 */
final case class TableColumns(
    path: Option[String] = None,
    label: Option[String] = None,
    labelId: Option[String] = None,
    root: Option[String] = None,
    content: Option[String] = None,
) {

  /**
   * @param table named in errors
   * @param schema the table's columns
   * @throws SightlineException UNKNOWN_COLUMN, or WRONG_COLUMN_TYPE for bytes that are none
   */
  def resolve(table: String, schema: StructType): TableColumns.Resolved = {
    val present = schema.fieldNames.toSeq
    def required(name: String): String =
      if (present.contains(name)) name
      else throw TableColumns.unknown(table, name, present)
    TableColumns.Resolved(
      path = path.map(required).orElse(TableColumns.Paths.find(present.contains)).getOrElse {
        val wanted = TableColumns.Paths.mkString("' or '")
        throw TableColumns.unknown(table, wanted, present)
      },
      label = label.map(required).orElse(TableColumns.Labels.find(present.contains)),
      labelId = labelId.map(required).orElse(TableColumns.LabelIds.find(present.contains)),
      content = content
        .map(name => TableColumns.binary(table, schema(required(name))))
        .orElse(Some(Columns.Content).filter(name => schema.exists(TableColumns.isBinary(name)))),
    )
  }
}

object TableColumns {

  /** The columns that a table really has. */
  final case class Resolved(
      path: String,
      label: Option[String],
      labelId: Option[String],
      content: Option[String] = None,
  )

  private val Paths = Seq("path", "image_path", "file")
  private val Labels = Seq("label", "actual_class", "class")
  private val LabelIds = Seq("class_id", "actual_class_id", "label_id")

  /** Columns of a table that give way to the run's own of the same name. */
  val Replaced: Set[String] = Set(
    Columns.Path,
    Columns.Label,
    Columns.LabelId,
    Columns.Prediction,
    Columns.Features,
    Columns.Error,
    Columns.Content,
  )

  private def isBinary(name: String)(field: StructField): Boolean =
    field.name == name && field.dataType == BinaryType

  private def binary(table: String, field: StructField): String =
    if (field.dataType == BinaryType) field.name
    else {
      throw SightlineException(
        "WRONG_COLUMN_TYPE",
        "column" -> field.name,
        "type" -> field.dataType.sql,
        "subject" -> table,
        "hint" -> "Name the column of the images' bytes by --content-column, or leave it out to read the files.",
      )
    }

  private def unknown(table: String, column: String, present: Seq[String]): SightlineException =
    SightlineException(
      "UNKNOWN_COLUMN",
      "table" -> table,
      "column" -> column,
      "known" -> present,
      "hint" -> "Name one by --path-column, --label-column, --label-id-column or --content-column.",
    )
}
