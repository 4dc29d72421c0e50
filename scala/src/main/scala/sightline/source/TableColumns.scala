package sightline.source

import org.apache.spark.sql.types.{
  BinaryType,
  ByteType,
  DataType,
  IntegerType,
  LongType,
  ShortType,
  StructType,
}

import sightline.SightlineException

/**
 * The columns of a table that contain images or their paths, and true labels.
 *
 * A name with dots refers to a field of a nested column, unless a column has that name.
 *
 * @param path column of paths; by default the first of `path`, `image_path`, `file`
 * @param label column of labels; by default the first of `label`, `actual_class`, `class`
 * @param labelId column of class ids; by default the first of `class_id`, `actual_class_id`,
 *   `label_id`
 * @param root folder or URI that relative paths start from; by default the table's folder
 * @param content column of the images' bytes; by default `content`, if it is binary
 * @param csv the format of a CSV
 */
final case class TableColumns(
    path: Option[String] = None,
    label: Option[String] = None,
    labelId: Option[String] = None,
    root: Option[String] = None,
    content: Option[String] = None,
    csv: CsvDialect = CsvDialect(),
) {

  /**
   * Finds the columns in a table.
   *
   * @param table the table's name in errors
   * @param labels columns of labels are used only with `auto`
   * @param classNames returns the names of a column's classes; empty if they are not known
   * @param hint a sentence for the error of a missing column
   * @throws SightlineException UNKNOWN_COLUMN, or WRONG_COLUMN_TYPE for a column of bytes that is not
   *   binary
   */
  private[source] def resolve(
      table: String,
      schema: StructType,
      labels: FolderLabels = FolderLabels.Auto,
      classNames: Seq[String] => Seq[String] = _ => Nil,
      hint: Option[String] = None,
  ): TableColumns.Resolved = {
    def find(name: String): Option[Seq[String]] = TableColumns.find(schema, name)
    def unknown(column: String): SightlineException =
      SightlineException(
        "UNKNOWN_COLUMN",
        "table" -> table,
        "column" -> column,
        "known" -> schema.fieldNames.toSeq,
        "hint" -> hint.getOrElse(
          "Set it by --path-column, --label-column, --label-id-column or --content-column."
        ),
      )
    def required(name: String): Seq[String] =
      find(name).getOrElse(throw unknown(name))
    def usual(names: Seq[String]): Option[Seq[String]] =
      names.find(schema.fieldNames.contains).map(Seq(_))
    def typeOf(path: Seq[String]): DataType = TableColumns.typeOf(schema, path)

    val bytes = content.map(required).orElse {
      Some(Seq(Columns.Content)).filter { one =>
        schema.fieldNames.contains(Columns.Content) && typeOf(one) == BinaryType
      }
    }
    bytes.filterNot(typeOf(_) == BinaryType).foreach { wrong =>
      throw SightlineException(
        "WRONG_COLUMN_TYPE",
        "column" -> wrong.mkString("."),
        "type" -> typeOf(wrong).sql,
        "expected" -> BinaryType.sql,
        "subject" -> table,
        "hint" -> ("Set the column of the images' bytes by --content-column, or omit the option to " +
          "read the files."),
      )
    }
    val paths = path.map(required).orElse(usual(TableColumns.Paths))
    if (paths.isEmpty && (bytes.isEmpty || labels == FolderLabels.Folder)) {
      throw unknown(TableColumns.Paths.mkString("' or '"))
    }
    val isAuto = labels == FolderLabels.Auto
    val named = label.map(required).orElse(usual(TableColumns.Labels)).filter(_ => isAuto)
    val ids = labelId.map(required).orElse(usual(TableColumns.LabelIds)).filter(_ => isAuto)
    val isNumber = named.exists(one => TableColumns.Integers(typeOf(one)))
    val names = named.filter(_ => isNumber).fold(Seq.empty[String])(classNames)
    // A number without a class name is the class id, unless another column has the ids.
    val isId = isNumber && names.isEmpty && ids.forall(named.contains)
    TableColumns.Resolved(
      path = paths,
      label = named.filterNot(_ => isId),
      labelId = if (isId) named else ids,
      content = bytes,
      labelNames = names,
    )
  }
}

object TableColumns {

  /**
   * The columns that were found, each as the names on the way from a column to a field.
   *
   * @param path None if rows have bytes and no path
   * @param labelNames the names of the classes if `label` contains their numbers; empty if it is text
   */
  final private[source] case class Resolved(
      path: Option[Seq[String]],
      label: Option[Seq[String]],
      labelId: Option[Seq[String]],
      content: Option[Seq[String]] = None,
      labelNames: Seq[String] = Nil,
  ) {

    /** Columns that the result contains unchanged, under the same name. */
    def replaced: Set[String] =
      Seq(
        path.filter(_ == Seq(Columns.Path)),
        (label ++ labelId).find(_ == Seq(Columns.Label)).filter(_ => labelNames.isEmpty),
        labelId.filter(_ == Seq(Columns.LabelId)),
      ).flatten.map(_.head).toSet
  }

  private val Paths = Seq("path", "image_path", "file")
  private val Labels = Seq("label", "actual_class", "class")
  private val Integers = Set[DataType](ByteType, ShortType, IntegerType, LongType)
  private val LabelIds = Seq("class_id", "actual_class_id", "label_id")

  private[source] def typeOf(schema: StructType, path: Seq[String]): DataType =
    path.tail.foldLeft(schema(path.head).dataType) {
      case (struct: StructType, name) => struct(name).dataType
      case (other, name) => throw new IllegalArgumentException(s"$name is no field of ${other.sql}")
    }

  private def find(schema: StructType, name: String): Option[Seq[String]] =
    if (schema.fieldNames.contains(name)) Some(Seq(name))
    else {
      schema.fieldNames.toSeq
        .filter(column => name.startsWith(s"$column."))
        .flatMap { column =>
          schema(column).dataType match {
            case struct: StructType => find(struct, name.drop(column.length + 1)).map(column +: _)
            case _ => None
          }
        }
        .headOption
    }
}
