package sightline.source

import java.nio.file.LinkOption.NOFOLLOW_LINKS
import java.nio.file.{Files, InvalidPathException, Path as LocalPath, Paths}

import org.apache.hadoop.fs.{FileStatus, Path}

import sightline.SightlineException

/** What Hadoop's listing of a local folder says wrongly of links and of what is no file. */
private[source] object LocalLinks {

  /**
   * The folder's entries, with dangling links and names that Java cannot say, which Hadoop leaves
   * out; and without links to a folder above, which would never end, and without pipes and
   * devices, which may never be read.
   *
   * @param folder at any URI; other than local ones have no such entries
   * @throws SightlineException LOCALE_NOT_UTF8 when Java cannot say the names of files here
   */
  def corrected(folder: Path, listed: Seq[FileStatus]): Seq[FileStatus] =
    if (folder.toUri.getScheme == "file") {
      val kept = listed.filter { status =>
        val local = localPath(status.getPath)
        if (status.isDirectory) !leadsUp(local) else Files.isRegularFile(local)
      }
      kept ++ unreachable(folder, listed.map(_.getPath.getName).toSet)
    } else listed

  // Each becomes a row that is NOT_FOUND: a file that nobody told of would be lost.
  private def unreachable(folder: Path, listed: Set[String]): Seq[FileStatus] = {
    val names = Option(localPath(folder).toFile.list()).toSeq.flatten
    names
      .filterNot(listed)
      .map(name => new Path(folder, new Path(None.orNull, None.orNull, name)))
      .filter { path =>
        val local = localPath(path)
        Files.isSymbolicLink(local) || !Files.exists(local, NOFOLLOW_LINKS)
      }
      .map(new FileStatus(0L, false, 0, 0L, 0L, _))
  }

  private def leadsUp(folder: LocalPath): Boolean =
    Files.isSymbolicLink(folder) && folder.getParent.toRealPath().startsWith(folder.toRealPath())

  private def localPath(path: Path): LocalPath =
    try Paths.get(path.toUri.getPath)
    catch {
      // Java hands over such a name as it cannot be given back: the file could never be read.
      case _: InvalidPathException =>
        throw SightlineException.wrongUse(
          "LOCALE_NOT_UTF8",
          s"${path.getParent.toUri.getPath} has names that Java cannot read in the encoding " +
            s"${sys.props.getOrElse("sun.jnu.encoding", "of this locale")}. Set LC_ALL=C.UTF-8.",
        )
    }
}
