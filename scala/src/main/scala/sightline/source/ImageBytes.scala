package sightline.source

import java.io.{FileNotFoundException, IOException}

import scala.util.{Failure, Success, Try, Using}

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileStatus, FileSystem, LocalFileSystem, Path}
import org.apache.hadoop.security.AccessControlException

/** Reads whole files, and gives an error as a value where Spark's own reader would fail the job. */
object ImageBytes {

  /** What a listing said of a file, to notice that it changed since. */
  final case class Listed(length: Long, modificationTime: Long)

  /**
   * @param path any Hadoop path
   * @param listed what the listing said, or None for a path that comes from a table
   * @param maxBytes larger files are TOO_LARGE and not opened
   */
  def read(
      path: Path,
      listed: Option[Listed],
      maxBytes: Long,
      hadoop: Configuration,
  ): Either[ReadError, Array[Byte]] =
    Try {
      val fs = fileSystem(path, hadoop)
      val size = listed.map(_.length).getOrElse(sizeOf(fs, path))
      if (size > maxBytes) {
        Left(ReadError(ErrorCode.TooLarge, s"$size bytes, the limit is $maxBytes"))
      } else checked(readAll(fs, path, size), size, listed.isDefined)
    } match {
      case Success(result) => result
      case Failure(error) if scala.util.control.NonFatal(error) => Left(toReadError(error))
      case Failure(error) => throw error
    }

  /** Without Hadoop's checksums beside local files, which cannot be where a name has a colon. */
  private def fileSystem(path: Path, hadoop: Configuration): FileSystem =
    path.getFileSystem(hadoop) match {
      case local: LocalFileSystem => local.getRaw
      case other => other
    }

  private def sizeOf(fs: FileSystem, path: Path): Long = {
    val status: FileStatus = fs.getFileStatus(path)
    if (status.isDirectory) throw new IOException("it is a folder")
    status.getLen
  }

  // One byte more than expected is asked for, so that a file that grew is seen to have changed.
  private def readAll(fs: FileSystem, path: Path, size: Long): Array[Byte] =
    Using.resource(fs.open(path))(_.readNBytes(math.min(size + 1, Int.MaxValue - 16L).toInt))

  private def checked(
      bytes: Array[Byte],
      size: Long,
      wasListed: Boolean,
  ): Either[ReadError, Array[Byte]] =
    if (bytes.length == size) Right(bytes)
    else {
      val since = if (wasListed) "when listed" else "when opened"
      Left(ReadError(ErrorCode.Changed, s"$size bytes $since, ${sizeNow(bytes, size)} when read"))
    }

  private def sizeNow(bytes: Array[Byte], size: Long): String =
    if (bytes.length > size) "more" else bytes.length.toString

  private def toReadError(error: Throwable): ReadError = {
    val message = oneLine(error)
    val code = error match {
      case _: AccessControlException => ErrorCode.Denied
      // Java's local file system says "denied" by a FileNotFoundException.
      case _: FileNotFoundException if message.contains("Permission denied") => ErrorCode.Denied
      case _: FileNotFoundException => ErrorCode.NotFound
      case _ => ErrorCode.Io
    }
    ReadError(code, message)
  }

  private def oneLine(error: Throwable): String =
    Option(error.getMessage)
      .getOrElse(error.getClass.getSimpleName)
      .linesIterator
      .nextOption()
      .getOrElse("")
      .take(300)
}
