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
 * Why a file gave no bytes.
 *
 * @param code one of [[ErrorCode]]
 * @param message one line, without the file's content
 * @param stage `list` or `read`
 */
final case class ReadError(code: String, message: String, stage: String = ReadError.Read) {

  /** As a value of `Columns.ErrorType`. */
  def toRow: Row = Row(code, stage, message)
}

object ReadError {
  val List = "list"
  val Read = "read"

  /** What an exception of a file system means. */
  def of(error: Throwable, stage: String): ReadError = {
    val message = oneLine(error)
    val code = error match {
      case _: AccessControlException | _: AccessDeniedException => ErrorCode.Denied
      // Java's local file system says "denied" by a FileNotFoundException.
      case _: FileNotFoundException if message.contains("Permission denied") => ErrorCode.Denied
      case _: FileNotFoundException | _: NoSuchFileException => ErrorCode.NotFound
      // No file can be at a path that runs through a file, or that Java cannot say.
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
