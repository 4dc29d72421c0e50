package sightline.source

import java.util.Locale

import org.apache.hadoop.fs.GlobPattern

/**
 * Which files a listing takes, by what is known of them without opening them.
 *
 * @param include patterns; None: of files that a folder is searched for, those with the ending of an
 *   image
 * @param exclude patterns of files that are left out all the same
 * @param glob Spark's `pathGlobFilter`, held against the name; it too takes the place of the endings
 * @param modified in milliseconds since 1970: after the first and before the second
 * @param depth whether folders in the listed folder are listed too
 */
final case class FileFilter(
    include: Option[NamePatterns] = None,
    exclude: Option[NamePatterns] = None,
    glob: Option[String] = None,
    modified: (Option[Long], Option[Long]) = (None, None),
    depth: FileFilter.Depth = FileFilter.Depth.All,
) {

  private lazy val compiledGlob = glob.map(new GlobPattern(_))

  /** @param found whether a folder was searched for it; else it was asked for by name or by a glob */
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

  /** Endings of the formats that can be decoded, in small letters. */
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

  /** The ending of a name, in small letters; empty for a name without one. */
  def ending(name: String): String = {
    val dot = name.lastIndexOf('.')
    if (dot <= 0) "" else name.substring(dot + 1).toLowerCase(Locale.ROOT)
  }

  private def isImage(name: String): Boolean = isEnding(ending(name))
}
