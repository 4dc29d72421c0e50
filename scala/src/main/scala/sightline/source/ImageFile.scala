package sightline.source

/**
 * A folder of a listing. Its files share this object, because a listing may have millions of files.
 *
 * @param path a local path without scheme, or a full URI of another file system; ends with `/`
 * @param relativePath relative to the listed folder, which has an empty one; else ends with `/`
 * @param label the true label of the files in the folder; None if there is none
 */
final case class ImageFolder(path: String, relativePath: String, label: Option[String])

/**
 * A file of a listing.
 *
 * @param name the file's name, without its folder
 * @param length in bytes
 * @param modificationTime in milliseconds since 1970
 * @param error the error of a folder that could not be listed; it is listed like a file
 */
final case class ImageFile(
    folder: ImageFolder,
    name: String,
    length: Long,
    modificationTime: Long,
    error: Option[ReadError] = None,
) {

  /** A local path without scheme, or a full URI of another file system. */
  def path: String = folder.path + name

  /** The path relative to the listed folder, with `/`. */
  def relativePath: String = folder.relativePath + name

  /** The name of the listed folder, followed by the relative path. */
  def pathFromRoot: String =
    s"${folder.path.stripSuffix(folder.relativePath).stripSuffix("/").split('/').last}/$relativePath"

  def label: Option[String] = folder.label
}
