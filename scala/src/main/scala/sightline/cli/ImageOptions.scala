package sightline.cli

import mainargs.{ParserForClass, arg}

import sightline.OptionValue
import sightline.source.{
  CsvDialect,
  FileFilter,
  FolderLabels,
  ImageRequest,
  NamePatterns,
  TableColumns,
}

/** The options of images, of every command that reads images. */
@mainargs.main
final case class ImageOptions(
    @arg(doc = "Folder (recursive), glob, or .csv/.tsv/.parquet table of paths or images; any URI")
    images: String,
    @arg(doc = "True labels of a folder's images: auto (subfolders' names; default), folder, none")
    labels: String = FolderLabels.Auto.name,
    @arg(doc = "A table's column of paths (default: path, image_path or file)")
    pathColumn: Option[String] = None,
    @arg(doc = "A table's column of labels (default: label, actual_class or class)")
    labelColumn: Option[String] = None,
    @arg(doc = "A table's column of class ids (default: class_id, actual_class_id or label_id)")
    labelIdColumn: Option[String] = None,
    @arg(doc = "A table's binary column of images (default: content, if binary)")
    contentColumn: Option[String] = None,
    @arg(doc = "Folder that a table's relative paths start from (default: the table's folder)")
    root: Option[String] = None,
    @arg(doc =
      "For a folder or glob: patterns of the files to take, such as '*.jpg,*.png' (default: in a " +
        "folder, files with the ending of an image; '*' is every file)"
    )
    include: Option[String] = None,
    @arg(doc = "For a folder or glob: patterns of the files to leave out, such as 'thumbs/*'")
    exclude: Option[String] = None,
    @arg(doc = "For a CSV: the character between fields, or tab (default: a comma)")
    delimiter: Option[String] = None,
    @arg(doc = "For a CSV: utf-16, windows-1252, … (default: its byte order mark, else utf-8)")
    encoding: Option[String] = None,
    @arg(doc = "Maximum number of images")
    limit: Option[Int] = None,
) {

  /**
   * Checks the options.
   *
   * @param maxImageBytes larger files give the error TOO_LARGE
   * @throws sightline.SightlineException UNKNOWN_LABELS or INVALID_OPTION
   */
  def request(maxImageBytes: Long): ImageRequest = ImageRequest(
    images = Command.nonEmpty("--images", images),
    labels = FolderLabels.parse(labels),
    table = TableColumns(
      pathColumn,
      labelColumn,
      labelIdColumn,
      root,
      contentColumn,
      CsvDialect.parse(delimiter, encoding),
    ),
    limit = limit.map(OptionValue.atLeast("--limit", _, 1)),
    maxImageBytes = maxImageBytes,
    filter = FileFilter(
      include = include.map(NamePatterns.parse("--include", _)),
      exclude = exclude.map(NamePatterns.parse("--exclude", _)),
    ),
  )
}

object ImageOptions {
  implicit val parser: ParserForClass[ImageOptions] = ParserForClass[ImageOptions]
}
