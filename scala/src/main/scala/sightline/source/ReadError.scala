package sightline.source

import java.io.FileNotFoundException
import java.nio.file.{
  AccessDeniedException,
  FileSystemException,
  InvalidPathException,
  NoSuchFileException,
}

import org.apache.hadoop.security.AccessControlException
import org.apache.spark.sql.Row

/**
 * The error of a file that could not be read.
 *
 * @param code one of [[ErrorCode]]
 * @param message one line, without content of the file
 * @param stage the stage that failed: `list` or `read`
 */
final case class ReadError(code: String, message: String, stage: String = ReadError.Read) {

  /** As a value of `Columns.ErrorType`. */
  def toRow: Row = Row(code, stage, message)
}

object ReadError {
  val List = "list"
  val Read = "read"

  /** The error for a file system's exception. */
  def of(error: Throwable, stage: String): ReadError = {
    val message = oneLine(error)
    val code = error match {
      case _: AccessControlException | _: AccessDeniedException => ErrorCode.Denied
      // Java's local file system throws FileNotFoundException for a file without permission.
      case _: FileNotFoundException if message.contains("Permission denied") => ErrorCode.Denied
      case _: FileNotFoundException | _: NoSuchFileException => ErrorCode.NotFound
      // A path that has a file as a folder, or that Java cannot represent, cannot exist.
      case error: FileSystemException if error.getReason == "Not a directory" => ErrorCode.NotFound
      case _: InvalidPathException => ErrorCode.NotFound
      case _ => ErrorCode.Io
    }
    ReadError(code, message, stage)
  }

  private def oneLine(error: Throwable): String =
    Option(error.getMessage)
      .getOrElse(error.getClass.getSimpleName)
      .linesIterator
      .nextOption()
      .getOrElse("")
      .take(300)
}
