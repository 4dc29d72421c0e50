package sightline.report

import java.nio.file.{Files, Paths}

import scala.util.{Failure, Try}

import org.apache.hadoop.fs.permission.FsAction
import org.apache.hadoop.fs.{FileSystem, Path}
import org.apache.hadoop.security.AccessControlException

import sightline.SightlineException

/** Whether this user may make a folder at a place, asked without making anything. */
object WritableOutput {

  /**
   * @param output fully qualified
   * @throws SightlineException OUTPUT_NOT_WRITABLE
   */
  def require(fs: FileSystem, output: Path): Unit = {
    val there = Iterator
      .iterate(output.getParent)(_.getParent)
      .takeWhile(Option(_).isDefined)
      .find(fs.exists)
    there.foreach { ancestor =>
      val reason =
        if (!fs.getFileStatus(ancestor).isDirectory) Some(s"${shown(ancestor)} is no folder")
        else refusal(fs, ancestor)
      reason.foreach { why =>
        throw SightlineException("OUTPUT_NOT_WRITABLE", "path" -> shown(output), "reason" -> why)
      }
    }
  }

  private def refusal(fs: FileSystem, folder: Path): Option[String] =
    if (isLocal(fs)) {
      // Asks the operating system, which knows of file systems that are mounted read-only.
      Option.when(!Files.isWritable(Paths.get(folder.toUri.getPath)))(
        s"this user may not write in ${shown(folder)}"
      )
    } else {
      Try(fs.access(folder, FsAction.WRITE)) match {
        case Failure(error: AccessControlException) => Some(error.getMessage)
        // Storage that cannot say is told by the write itself.
        case _ => None
      }
    }

  private def isLocal(fs: FileSystem): Boolean = fs.getUri.getScheme == "file"

  private def shown(path: Path): String =
    if (path.toUri.getScheme == "file") path.toUri.getPath else path.toString
}
