package sightline.source

import java.util.Locale

import org.apache.hadoop.fs.GlobPattern

/**
 * Selects the files of a listing by their names and times; no file is opened.
 *
 * @param include patterns of files to take; None: files in a folder that have the ending of an image
 * @param exclude patterns of files to leave out, also of those that `include` takes
 * @param glob Spark's `pathGlobFilter`, a pattern of names; like `include` it replaces the endings
 * @param modified takes files that were modified after the first and before the second time, in
 *   milliseconds since 1970
 * @param depth whether subfolders are listed
 */
final case class FileFilter(
    include: Option[NamePatterns] = None,
    exclude: Option[NamePatterns] = None,
    glob: Option[String] = None,
    modified: (Option[Long], Option[Long]) = (None, None),
    depth: FileFilter.Depth = FileFilter.Depth.All,
) {

  private lazy val compiledGlob = glob.map(new GlobPattern(_))

  /**
   * Whether the listing takes a file.
   *
   * @param found whether the file was found in a folder; false for a file named by a path or a glob
   */
  def takes(file: ImageFile, found: Boolean): Boolean = {
    def path: String = file.relativePath
    val (after, before) = modified
    val byDefault = include.isEmpty && glob.isEmpty && found
    (!byDefault || FileFilter.isImage(file.name)) &&
    include.forall(_.matches(path)) &&
    !exclude.exists(_.matches(path)) &&
    compiledGlob.forall(_.matches(file.name)) &&
    after.forall(file.modificationTime > _) &&
    before.forall(file.modificationTime < _)
  }
}

object FileFilter {

  sealed trait Depth

  object Depth {
    case object All extends Depth
    case object OneFolder extends Depth
  }

  /** Endings of the formats that can be decoded, in lower case. */
  val Endings: Seq[String] = Seq(
    "jpg",
    "jpeg",
    "jpe",
    "jfif",
    "png",
    "apng",
    "webp",
    "bmp",
    "dib",
    "gif",
    "tif",
    "tiff",
  )

  private val isEnding = Endings.toSet

  /** Whether a name starts with `_` or `.`: listings skip such names, like those of Spark. */
  def isHidden(name: String): Boolean = name.startsWith("_") || name.startsWith(".")

  /** The ending of a name, in lower case; empty for a name without one. */
  def ending(name: String): String = {
    val dot = name.lastIndexOf('.')
    if (dot <= 0) "" else name.substring(dot + 1).toLowerCase(Locale.ROOT)
  }

  private def isImage(name: String): Boolean = isEnding(ending(name))
}
