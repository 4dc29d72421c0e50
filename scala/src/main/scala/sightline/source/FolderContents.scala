package sightline.source

import scala.util.Try

/**
 * What a folder holds.
 *
 * @param entries its files and folders in the order of names, without hidden ones
 * @param names all names, in any order
 * @param read the text of a file in it
 */
final private[source] case class FolderContents(
    entries: Iterator[FolderEntry],
    names: Array[String],
    read: String => String,
) {

  /**
   * Whether a run of Sightline has written the folder: its files are no images of the collection.
   * Not so of `subset`, whose output is links to images.
   */
  def isOutput: Boolean = {
    def has(name: String): Boolean = names.contains(name)
    (has("_run") && Try(read("_run/run.json")).toOption.exists(!isSubset(_))) ||
    (has("run.json") && (has("components") || has("metrics.json")))
  }

  /** Folders in it that a run is writing, or was when it was killed. */
  def unfinished: Set[String] = names.collect {
    case FolderContents.Unfinished(output, run) if names.contains(s".$output.run-$run") =>
      s"$output.incomplete-$run"
  }.toSet

  private def isSubset(record: String): Boolean =
    FolderContents.Subset.findFirstIn(record).isDefined
}

private[source] object FolderContents {
  private val Unfinished = "(.+)\\.incomplete-([0-9a-f]{8})".r
  private val Subset = "\"command\"\\s*:\\s*\"subset\"".r
}
