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
  def isOutput: Boolean = record.exists(!isSubset(_)) || hasResults

  /** Whether nothing but what a run has written is deleted with it. */
  def isReplaceable: Boolean = names.isEmpty || record.isDefined || hasResults

  /** Whether a folder in it is one that a run is writing, or was when it was killed. */
  def isUnfinished(folder: String): Boolean = folder match {
    case FolderContents.Unfinished(output, run) => has(s".$output.run-$run")
    case _ => false
  }

  /** Of a run, beside the data that it wrote. */
  private def record: Option[String] =
    Option.when(has("_run"))("_run/run.json").flatMap(file => Try(read(file)).toOption)

  /** Of pca and evaluate, which write no data beside their record. */
  private def hasResults: Boolean =
    has("run.json") && (has("components") || has("metrics.json"))

  private def has(name: String): Boolean = names.contains(name)

  private def isSubset(record: String): Boolean =
    FolderContents.Subset.findFirstIn(record).isDefined
}

private[source] object FolderContents {
  private val Unfinished = "(.+)\\.incomplete-([0-9a-f]{8})".r
  private val Subset = "\"command\"\\s*:\\s*\"subset\"".r
}
