package sightline.source

/**
 * A folder that a listing went through; all its files share it, since a driver may hold millions.
 *
 * @param path as users see it, a plain local path or a full URI elsewhere; ends with `/`
 * @param relativePath below the listed folder; empty for that one itself, else ends with `/`
 * @param label of the files in it, when labels are asked for and it has one
 */
final case class ImageFolder(path: String, relativePath: String, label: Option[String])

/**
 * A file that a listing found.
 *
 * @param name in its folder
 * @param length in bytes
 * @param modificationTime in milliseconds since 1970
 * @param error why it could not even be listed; such a folder stands for what is in it
 */
final case class ImageFile(
    folder: ImageFolder,
    name: String,
    length: Long,
    modificationTime: Long,
    error: Option[ReadError] = None,
) {

  /** As users see it: a plain local path, or a full URI elsewhere. */
  def path: String = folder.path + name

  /** Below the listed folder, with `/`. */
  def relativePath: String = folder.relativePath + name

  /** The name of the listed folder, and the path below it. */
  def pathFromRoot: String =
    s"${folder.path.stripSuffix(folder.relativePath).stripSuffix("/").split('/').last}/$relativePath"

  def label: Option[String] = folder.label
}
