package sightline.source

import sightline.OptionValue

/** The source of a file's true label. */
sealed abstract class FolderLabels(val name: String) {

  /**
   * The file's label; None if it has none.
   *
   * @param relativePath the path relative to the listed folder, with `/`
   * @param parent the name of the file's folder
   */
  def label(relativePath: String, parent: String): Option[String]
}

object FolderLabels {

  /** The folder's name for files in subfolders; no label for files in the listed folder itself. */
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
  private val byName = all.map(labels => labels.name -> labels).toMap[String, FolderLabels]

  /** @throws sightline.SightlineException UNKNOWN_LABELS */
  def parse(name: String): FolderLabels =
    byName(OptionValue.oneOf("UNKNOWN_LABELS", "labels", name, all.map(_.name)))
}
