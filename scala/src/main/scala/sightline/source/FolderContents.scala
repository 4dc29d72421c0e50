package sightline.source

import scala.util.Try

/**
 * The contents of a folder.
 *
 * @param entries files and folders sorted by name, without hidden ones
 * @param names all names, in any order
 * @param read returns the text of a file in the folder
 */
final private[source] case class FolderContents(
    entries: Iterator[FolderEntry],
    names: Array[String],
    read: String => String,
) {

  /**
   * Whether the folder is the output of a Sightline command, so that its files are not images of the
   * collection. False for the output of `subset`, which consists of links to images.
   */
  def isOutput: Boolean = record.exists(!isSubset(_)) || hasResults || isMarked

  /** Whether the folder is empty or the output of a run, so that it may be deleted. */
  def isReplaceable: Boolean = names.isEmpty || record.isDefined || hasResults || isMarked

  /** Whether a subfolder is the unfinished output of a run that is running or was killed. */
  def isUnfinished(folder: String): Boolean = folder match {
    case FolderContents.Unfinished(output, run) => has(s".$output.run-$run")
    case _ => false
  }

  /** The record that a run writes into its folder of data. */
  private def record: Option[String] =
    Option.when(has("_run"))("_run/run.json").flatMap(file => Try(read(file)).toOption)

  /** Whether the folder has the files that pca or evaluate writes. */
  private def hasResults: Boolean =
    has("run.json") && (has("components") || has("metrics.json"))

  /** Whether the folder is the unfinished output of a run in an object store. */
  private def isMarked: Boolean = has(UnfinishedOutput.Marker)

  private def has(name: String): Boolean = names.contains(name)

  private def isSubset(record: String): Boolean =
    FolderContents.Subset.findFirstIn(record).isDefined
}

private[source] object FolderContents {
  private val Unfinished = "(.+)\\.incomplete-([0-9a-f]{8})".r
  private val Subset = "\"command\"\\s*:\\s*\"subset\"".r
}
