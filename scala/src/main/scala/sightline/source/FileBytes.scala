package sightline.source

import java.io.{FileInputStream, IOException}
import java.nio.file.attribute.BasicFileAttributes
import java.nio.file.{Files, Paths}

import scala.util.Using
import scala.util.control.NonFatal

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path}

import sightline.LocalFiles

/** Reads whole files. An error is a value in the result; Spark's own reader would fail the job. */
object FileBytes {

  /**
   * Reads a file.
   *
   * @param path any Hadoop path
   * @param listedLength the file's length in a listing, in bytes; None for a path from a table
   * @param maxBytes larger files give the error TOO_LARGE and are not opened
   */
  def read(
      path: Path,
      listedLength: Option[Long],
      maxBytes: Long,
      hadoop: Configuration,
  ): Either[ReadError, Array[Byte]] =
    attempt {
      // Lazy, because finding the file system takes as long as reading a small file.
      lazy val fs = path.getFileSystem(hadoop)
      val isLocal =
        Option(path.toUri.getScheme).fold(LocalFiles.isLocal(fs))(_ == LocalFiles.Scheme)
      if (isLocal) local(path.toUri.getPath, listedLength, maxBytes)
      else {
        limited(listedLength.getOrElse(sizeOf(fs, path)), maxBytes) { size =>
          checked(readAll(fs, path, size), size, listedLength.isDefined)
        }
      }
    }

  /**
   * Reads a file of this machine. Hadoop's local file system would take four times the CPU, look for
   * checksum files, and fail for a colon in the file's name.
   */
  def readLocal(
      path: String,
      listedLength: Option[Long],
      maxBytes: Long,
  ): Either[ReadError, Array[Byte]] = attempt(local(path, listedLength, maxBytes))

  /** Like [[read]], but a file outside `roots` gives the error DENIED. */
  def allowed(
      path: Path,
      listedLength: Option[Long],
      maxBytes: Long,
      roots: AllowedRoots,
      hadoop: Configuration,
  ): Either[ReadError, Array[Byte]] =
    roots
      .refusal(path, hadoop)
      .toLeft(())
      .flatMap(_ => read(path, listedLength, maxBytes, hadoop))

  /** Like [[readLocal]], but a file outside `roots` gives the error DENIED. */
  def allowedLocal(
      path: String,
      listedLength: Option[Long],
      maxBytes: Long,
      roots: AllowedRoots,
  ): Either[ReadError, Array[Byte]] =
    roots.localRefusal(path).toLeft(()).flatMap(_ => readLocal(path, listedLength, maxBytes))

  private def attempt(read: => Either[ReadError, Array[Byte]]): Either[ReadError, Array[Byte]] =
    try read
    catch { case NonFatal(error) => Left(ReadError.of(error, ReadError.Read)) }

  private def local(
      path: String,
      listedLength: Option[Long],
      maxBytes: Long,
  ): Either[ReadError, Array[Byte]] =
    // Before the file is opened: a file that was listed as too large is TOO_LARGE even if it is gone.
    limited(listedLength.getOrElse(0L), maxBytes) { _ =>
      val status = Files.readAttributes(Paths.get(path), classOf[BasicFileAttributes])
      // A task that opened a pipe or a device could wait for its end forever.
      if (!status.isRegularFile) throw new IOException("not a regular file")
      limited(listedLength.getOrElse(status.size), maxBytes) { size =>
        Using.resource(new FileInputStream(path)) { in =>
          val bytes = in.readNBytes(asInt(size))
          if (bytes.length < size || in.read() < 0) checked(bytes, size, listedLength.isDefined)
          else Left(changed("more", size, listedLength.isDefined))
        }
      }
    }

  private def limited(size: Long, maxBytes: Long)(
      read: Long => Either[ReadError, Array[Byte]]
  ): Either[ReadError, Array[Byte]] =
    if (size > maxBytes) {
      Left(ReadError(ErrorCode.TooLarge, s"$size bytes, the limit is $maxBytes"))
    } else read(size)

  private def sizeOf(fs: FileSystem, path: Path): Long = {
    val status = fs.getFileStatus(path)
    if (status.isDirectory) throw new IOException("it is a folder")
    status.getLen
  }

  // Reads one byte more than expected, to detect that the file has grown.
  private def readAll(fs: FileSystem, path: Path, size: Long): Array[Byte] =
    Using.resource(fs.open(path))(_.readNBytes(asInt(size + 1)))

  private def checked(
      bytes: Array[Byte],
      size: Long,
      wasListed: Boolean,
  ): Either[ReadError, Array[Byte]] =
    if (bytes.length == size) Right(bytes)
    else Left(changed(if (bytes.length > size) "more" else bytes.length.toString, size, wasListed))

  private def changed(now: String, size: Long, wasListed: Boolean): ReadError = {
    val since = if (wasListed) "when listed" else "when opened"
    ReadError(ErrorCode.Changed, s"$size bytes $since, $now when read")
  }

  private def asInt(size: Long): Int = math.min(size, Int.MaxValue - 16L).toInt
}
