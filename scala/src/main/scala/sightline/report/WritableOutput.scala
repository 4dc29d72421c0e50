package sightline.report

import java.nio.file.Files

import scala.util.{Failure, Try}

import org.apache.hadoop.fs.permission.FsAction
import org.apache.hadoop.fs.{FileSystem, Path}
import org.apache.hadoop.security.AccessControlException

import sightline.{LocalFiles, ObjectStore, SightlineException}

/** Checks whether this user may create a folder, without creating it. */
object WritableOutput {

  /**
   * Checks the permissions of the nearest folder above `output` that exists.
   *
   * @param output fully qualified
   * @throws SightlineException OUTPUT_NOT_WRITABLE, BUCKET_NOT_FOUND
   */
  def require(fs: FileSystem, output: Path): Unit = {
    ObjectStore.requireBucket(fs, output)
    val there = Iterator
      .iterate(output.getParent)(_.getParent)
      .takeWhile(Option(_).isDefined)
      .find(fs.exists)
    there.foreach { ancestor =>
      val reason =
        if (!fs.getFileStatus(ancestor).isDirectory)
          Some(s"${LocalFiles.shown(ancestor)} is not a folder")
        else refusal(fs, ancestor)
      reason.foreach { why =>
        throw SightlineException(
          "OUTPUT_NOT_WRITABLE",
          "path" -> LocalFiles.shown(output),
          "reason" -> why,
        )
      }
    }
  }

  private def refusal(fs: FileSystem, folder: Path): Option[String] =
    LocalFiles.of(folder) match {
      // The operating system also knows file systems that are mounted read-only.
      case Some(local) =>
        Option.when(!Files.isWritable(local))(
          s"this user may not write in ${LocalFiles.shown(folder)}"
        )
      case None =>
        Try(fs.access(folder, FsAction.WRITE)) match {
          case Failure(error: AccessControlException) => Some(error.getMessage)
          // Not every file system can answer; then a failure appears when the run writes.
          case _ => None
        }
    }
}
