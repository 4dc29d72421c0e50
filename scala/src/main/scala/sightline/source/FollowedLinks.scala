package sightline.source

import scala.collection.mutable

/**
 * Decides which links to folders a listing follows, so that it terminates and lists each folder once.
 *
 * A link is not followed if its target contains the link, is listed elsewhere, or is the target of a
 * link that was followed before. A link to a file is listed as a file.
 */
final private class FollowedLinks {

  // Real paths of the folders where a walk began: those that were given, and targets of links.
  private val started = mutable.Set.empty[String]

  /** Records a folder that is listed with all its subfolders. */
  def begin(folder: String): Unit = started += folder: Unit

  /** Whether a walk began with this folder. */
  def begun(folder: String): Boolean = started(folder)

  /** Whether a walk that began with this folder or a parent of it lists the folder. */
  def covers(folder: String): Boolean = {
    val upwards = Iterator.iterate(folder)(FollowedLinks.parent).takeWhile(_.nonEmpty).toSeq :+ "/"
    val (below, above) = upwards.span(!started(_))
    // A walk skips hidden folders.
    above.nonEmpty && !below.exists(path => FileFilter.isHidden(FollowedLinks.name(path)))
  }

  /**
   * Whether to follow a link; if so, records its target.
   *
   * @param from the real path of the folder that contains the link
   * @param to the real path of the link's target
   */
  def follow(from: String, to: String): Boolean = {
    val isNew = !s"$from/".startsWith(s"$to/") && to != "/" && !covers(to)
    if (isNew) begin(to)
    isNew
  }
}

private object FollowedLinks {
  private def parent(path: String): String = path.take(path.lastIndexOf('/').max(0))
  private def name(path: String): String = path.drop(path.lastIndexOf('/') + 1)
}
