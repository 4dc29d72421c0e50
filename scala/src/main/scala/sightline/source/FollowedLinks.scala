package sightline.source

import scala.collection.mutable

/**
 * Which links to folders a listing follows, so that it ends and lists each folder once.
 *
 * A link is not followed to a folder that it lies in, nor into a folder that is listed where it is, nor
 * to one to which a link has led before. Links to files are files: each is a row.
 */
final private class FollowedLinks {

  // Real paths of the folders with which a walk began: those asked for, and where links have led.
  private val started = mutable.Set.empty[String]

  /** Notes a folder that is listed with all below it. */
  def begin(folder: String): Unit = started += folder: Unit

  /** Whether a walk began with this very folder. */
  def begun(folder: String): Boolean = started(folder)

  /** Whether a folder is listed by a walk that began with it or above it. */
  def covers(folder: String): Boolean = {
    val upwards = Iterator.iterate(folder)(FollowedLinks.parent).takeWhile(_.nonEmpty).toSeq :+ "/"
    val (below, above) = upwards.span(!started(_))
    // What is hidden is not listed where it is.
    above.nonEmpty && !below.exists(path => FolderEntry.isHidden(FollowedLinks.name(path)))
  }

  /**
   * Whether a link is followed; if so, that is noted.
   *
   * @param from the real folder that it lies in
   * @param to the real folder that it leads to
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
