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

/** The options for the images of a command. All commands that read images have them. */
@mainargs.main
final case class ImageOptions(
    @arg(doc =
      "Images: a folder (recursive), a glob, or a .csv, .tsv or .parquet table of paths or images"
    )
    images: String,
    @arg(doc =
      "True labels of a folder's images: auto (default: names of subfolders), folder or none"
    )
    labels: String = FolderLabels.Auto.name,
    @arg(doc = "For a table: the column of paths (default: path, image_path or file)")
    pathColumn: Option[String] = None,
    @arg(doc = "For a table: the column of labels (default: label, actual_class or class)")
    labelColumn: Option[String] = None,
    @arg(doc =
      "For a table: the column of class ids (default: class_id, actual_class_id or label_id)"
    )
    labelIdColumn: Option[String] = None,
    @arg(doc = "For a table: the binary column of image bytes (default: content, if it is binary)")
    contentColumn: Option[String] = None,
    @arg(doc = "For a table: the base folder of relative paths (default: the table's folder)")
    root: Option[String] = None,
    @arg(doc =
      "For a folder or glob: patterns of the files to include, such as '*.jpg,*.png' (default for " +
        "a folder: files with an image suffix; '*' includes every file)"
    )
    include: Option[String] = None,
    @arg(doc = "For a folder or glob: patterns of the files to exclude, such as 'thumbs/*'")
    exclude: Option[String] = None,
    @arg(doc = "For a CSV file: the character between fields, or tab (default: a comma)")
    delimiter: Option[String] = None,
    @arg(doc =
      "For a CSV file: the encoding, such as utf-16 (default: by the byte order mark, else utf-8)"
    )
    encoding: Option[String] = None,
    @arg(doc = "Maximum number of images")
    limit: Option[Int] = None,
) {

  /**
   * The request for the images, with checked options.
   *
   * @param maxImageBytes the maximum size of a file in bytes, at least 1; a larger file gives the error
   *   TOO_LARGE
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
