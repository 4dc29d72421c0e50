package sightline.source

import java.io.IOException
import java.nio.file.{Files, Paths}

import scala.util.{Failure, Success, Try, Using}

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, LocalFileSystem, Path}

/** Reads whole files, and gives an error as a value where Spark's own reader would fail the job. */
object ImageBytes {

  /**
   * @param path any Hadoop path
   * @param listedLength what the listing said, or None for a path that comes from a table
   * @param maxBytes larger files are TOO_LARGE and not opened
   */
  def read(
      path: Path,
      listedLength: Option[Long],
      maxBytes: Long,
      hadoop: Configuration,
  ): Either[ReadError, Array[Byte]] =
    Try {
      val fs = fileSystem(path, hadoop)
      refusePipes(fs, path)
      val size = listedLength.getOrElse(sizeOf(fs, path))
      if (size > maxBytes) {
        Left(ReadError(ErrorCode.TooLarge, s"$size bytes, the limit is $maxBytes"))
      } else checked(readAll(fs, path, size), size, listedLength.isDefined)
    } match {
      case Success(result) => result
      case Failure(error) if scala.util.control.NonFatal(error) =>
        Left(ReadError.of(error, ReadError.Read))
      case Failure(error) => throw error
    }

  /** Without Hadoop's checksums beside local files, which cannot be where a name has a colon. */
  private def fileSystem(path: Path, hadoop: Configuration): FileSystem =
    path.getFileSystem(hadoop) match {
      case local: LocalFileSystem => local.getRaw
      case other => other
    }

  /** A pipe or a device has no end, and a task that opened one would wait for it forever. */
  private def refusePipes(fs: FileSystem, path: Path): Unit =
    if (fs.getUri.getScheme == "file") {
      val local = Paths.get(path.toUri.getPath)
      if (Files.exists(local) && !Files.isRegularFile(local))
        throw new IOException("no regular file")
    }

  private def sizeOf(fs: FileSystem, path: Path): Long = {
    val status = fs.getFileStatus(path)
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
}
