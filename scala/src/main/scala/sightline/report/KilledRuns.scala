package sightline.report

import java.util.regex.Pattern

import scala.util.Try

import org.apache.hadoop.fs.{FileSystem, Path}

/**
 * Files that killed runs left beside an output.
 *
 * A run that writes `NAME` has three files or folders beside it: `NAME.incomplete-ID` is the new
 * output, `NAME.replaced-ID` is the old one during the replacement, and the file `.NAME.run-ID`
 * identifies the process. Python's commands use the same names with a dot before them.
 */
private[report] object KilledRuns {

  /** The interval at which a run writes its owner file again, to show that it is running. */
  val BeatSeconds = 60L

  /** The age of an owner file from which a run on another machine counts as ended. */
  private val SilentMillis = 30 * BeatSeconds * 1000

  def owner(output: Path, id: String): Path = beside(output, s".${output.getName}.run-$id")
  def staging(output: Path, id: String): Path =
    beside(output, s"${output.getName}.incomplete-$id")
  def replaced(output: Path, id: String): Path = beside(output, s"${output.getName}.replaced-$id")

  /**
   * Removes the unfinished outputs of runs that have ended, and restores an old output that was not
   * replaced. Files of runs that may be running, and files of unknown origin, are kept.
   *
   * @param output fully qualified
   * @return a message for each file or folder that was found
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

  /** Whether the run with this owner file has ended, or has written nothing for half an hour. */
  def hasEnded(fs: FileSystem, file: Path, owner: RunOwner): Boolean =
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
        s"$path is an old output that a killed run would have replaced. Remove it if you do not need it."
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
    s"$path is left alone: its owner is unknown. If no run writes it, remove it."

  private def beside(output: Path, name: String): Path = new Path(output.getParent, name)
}
