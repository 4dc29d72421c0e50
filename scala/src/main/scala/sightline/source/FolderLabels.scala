package sightline.source

import sightline.SightlineException

/** Whether a file's folder is its true label. */
sealed abstract class FolderLabels(val name: String) {

  /** @param relativePath below the listed folder, with `/`; `parent` is its folder's own name */
  def label(relativePath: String, parent: String): Option[String]
}

object FolderLabels {

  /** The folder's name for files below a subfolder; none for files in the listed folder itself. */
  case object Auto extends FolderLabels("auto") {
    override def label(relativePath: String, parent: String): Option[String] =
      Option.when(relativePath.contains('/'))(parent)
  }

  /** Always the name of the file's folder. */
  case object Folder extends FolderLabels("folder") {
    override def label(relativePath: String, parent: String): Option[String] = Some(parent)
  }

  /** No labels. */
  case object Absent extends FolderLabels("none") {
    override def label(relativePath: String, parent: String): Option[String] = None
  }

  private val all = Seq(Auto, Folder, Absent)

  def parse(name: String): FolderLabels =
    all.find(_.name == name).getOrElse {
      throw SightlineException(
        "UNKNOWN_LABELS",
        "option" -> "labels",
        "value" -> name,
        "known" -> all.map(_.name),
      )
    }
}
