package sightline.source

/**
 * A file that a listing found.
 *
 * @param path as users see it: a plain local path, or a full URI elsewhere
 * @param relativePath below the listed folder, with `/`
 * @param length in bytes
 * @param modificationTime in milliseconds since 1970
 * @param error why it could not even be listed; such a folder stands for what is in it
 * @param label of its folder, when labels are asked for and it has one
 */
final case class ImageFile(
    path: String,
    relativePath: String,
    length: Long,
    modificationTime: Long,
    label: Option[String],
    error: Option[ReadError] = None,
)
