package sightline.source

import sightline.SightlineException

/**
 * Which columns of a table name the images and their true labels.
 *
 * @param path column of paths; by default the first of `path`, `image_path`, `file`
 * @param label column of labels; by default the first of `label`, `actual_class`, `class`
 * @param labelId column of class ids; by default the first of `class_id`, `actual_class_id`
 * @param root folder or URI that relative paths start from; by default the table's folder
 */
final case class TableColumns(
    path: Option[String] = None,
    label: Option[String] = None,
    labelId: Option[String] = None,
    root: Option[String] = None,
) {

  /**
   * @param table named in errors
   * @param present the table's columns
   * @throws SightlineException UNKNOWN_COLUMN
   */
  def resolve(table: String, present: Seq[String]): TableColumns.Resolved = {
    def required(name: String): String =
      if (present.contains(name)) name
      else throw TableColumns.unknown(s"column '$name' is not in $table", present)
    TableColumns.Resolved(
      path = path.map(required).orElse(TableColumns.Paths.find(present.contains)).getOrElse {
        val wanted = TableColumns.Paths.mkString(", ")
        throw TableColumns.unknown(s"$table has none of the path columns $wanted", present)
      },
      label = label.map(required).orElse(TableColumns.Labels.find(present.contains)),
      labelId = labelId.map(required).orElse(TableColumns.LabelIds.find(present.contains)),
    )
  }
}

object TableColumns {

  /** The columns that a table really has. */
  final case class Resolved(path: String, label: Option[String], labelId: Option[String])

  private val Paths = Seq("path", "image_path", "file")
  private val Labels = Seq("label", "actual_class", "class")
  private val LabelIds = Seq("class_id", "actual_class_id")

  /** Columns of a table that give way to the run's own of the same name. */
  val Replaced: Set[String] = Set(
    Columns.Path,
    Columns.Label,
    Columns.LabelId,
    Columns.Prediction,
    Columns.Error,
    Columns.Content,
  )

  private def unknown(what: String, present: Seq[String]): SightlineException =
    SightlineException.wrongUse(
      "UNKNOWN_COLUMN",
      s"$what. It has: ${present.mkString(", ")}. Name one by --path-column, --label-column or " +
        "--label-id-column.",
    )
}
