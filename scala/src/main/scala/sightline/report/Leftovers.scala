package sightline.report

import java.util.regex.Pattern

import scala.util.Try

import org.apache.hadoop.fs.{FileSystem, Path}

/**
 * What runs that were killed have left beside an output.
 *
 * A run has three names beside `NAME` while it writes: `NAME.incomplete-ID` for the new output,
 * `NAME.replaced-ID` for the old one during the replacement, and the file `.NAME.run-ID`, which
 * says whose they are. Python's commands have the same with a dot before.
 */
private[report] object Leftovers {

  /** A run tells that it is there by writing its file again so often. */
  val BeatSeconds = 60L

  /** A run that cannot be asked has ended when its file is older: far longer than clocks differ. */
  private val SilentMillis = 30 * BeatSeconds * 1000

  def owner(output: Path, id: String): Path = beside(output, s".${output.getName}.run-$id")
  def staging(output: Path, id: String): Path =
    beside(output, s"${output.getName}.incomplete-$id")
  def replaced(output: Path, id: String): Path = beside(output, s"${output.getName}.replaced-$id")

  /**
   * Undoes or completes what runs that have ended left undone: half of a new output is removed, and
   * an old one whose successor never came is put back. What may belong to a run that goes on, or to
   * nobody that is known, stays, and is told.
   *
   * @param output qualified
   * @return a line for each thing that was there
   */
  def settle(fs: FileSystem, output: Path): Seq[String] =
    found(fs, output).toSeq.sortBy(_._1).flatMap { case (id, names) =>
      val file = owner(output, id)
      val rest = names.filterNot(_ == file).sorted
      RunOwner.read(fs, file) match {
        case None => rest.map(unknown)
        case Some(owner) if !hasEnded(fs, file, owner) => rest.map(running(owner, output))
        case Some(_) =>
          val lines = ended(fs, output, rest)
          fs.delete(file, false): Unit
          lines
      }
    }

  private def found(fs: FileSystem, output: Path): Map[String, Seq[Path]] = {
    val name = Pattern.quote(output.getName)
    val Ours = s"\\.?$name\\.(?:incomplete|replaced)-([0-9a-f]{8})|\\.$name\\.run-([0-9a-f]{8})".r
    Try(fs.listStatus(output.getParent).toSeq)
      .getOrElse(Nil)
      .map(_.getPath)
      .flatMap { path =>
        Ours.findFirstMatchIn(path.getName).filter(_.matched == path.getName).map { named =>
          Option(named.group(1)).getOrElse(named.group(2)) -> path
        }
      }
      .groupMap(_._1)(_._2)
  }

  private def hasEnded(fs: FileSystem, file: Path, owner: RunOwner): Boolean =
    owner.hasEnded.getOrElse {
      val written = Try(fs.getFileStatus(file).getModificationTime).toOption
      written.exists(_ < System.currentTimeMillis - SilentMillis)
    }

  private def ended(fs: FileSystem, output: Path, names: Seq[Path]): Seq[String] = {
    val (half, old) = names.partition(_.getName.contains(s"${output.getName}.incomplete-"))
    val putBack = old.map { path =>
      if (!fs.exists(output) && fs.rename(path, output)) {
        s"$output is put back: a run that was killed had moved it to ${path.getName}."
      } else if (half.isEmpty && fs.delete(path, true)) {
        s"${path.getName} is removed: a run that was killed had replaced it."
      } else
        s"$path is what a run that was killed would have replaced. Remove it if it is not wanted."
    }
    putBack ++ half.map { path =>
      fs.delete(path, true): Unit
      s"${path.getName} is removed: a run that was killed had left it half written."
    }
  }

  private def running(owner: RunOwner, output: Path)(path: Path): String =
    s"$path is left alone: another run writes $output (${owner.toString}). If it has ended, " +
      "remove it."

  private def unknown(path: Path): String =
    s"$path is left alone: nothing tells whose it is. If no run writes it, remove it."

  private def beside(output: Path, name: String): Path = new Path(output.getParent, name)
}
