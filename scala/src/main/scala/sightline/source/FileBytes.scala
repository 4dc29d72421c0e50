package sightline.source

import java.io.{FileInputStream, IOException}
import java.nio.file.attribute.BasicFileAttributes
import java.nio.file.{Files, Paths}

import scala.util.Using
import scala.util.control.NonFatal

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path}

/** Reads whole files, and gives an error as a value where Spark's own reader would fail the job. */
object FileBytes {

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
    attempt {
      // Asked of a qualified path first: finding its file system takes as long as reading a small file.
      lazy val fs = path.getFileSystem(hadoop)
      if (Option(path.toUri.getScheme).getOrElse(fs.getUri.getScheme) == "file") {
        local(path.toUri.getPath, listedLength, maxBytes)
      } else {
        limited(listedLength.getOrElse(sizeOf(fs, path)), maxBytes) { size =>
          checked(readAll(fs, path, size), size, listedLength.isDefined)
        }
      }
    }

  /**
   * The same for a path of this machine's own files: Hadoop's local file system would take four
   * times the CPU, look for checksums beside the file, and stumble over a colon in its name.
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
    // Before the file is touched: it may be gone, and is too large all the same.
    limited(listedLength.getOrElse(0L), maxBytes) { _ =>
      val status = Files.readAttributes(Paths.get(path), classOf[BasicFileAttributes])
      // A pipe or a device has no end, and a task that opened one would wait for it forever.
      if (!status.isRegularFile) throw new IOException("no regular file")
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

  // One byte more than expected is asked for, so that a file that grew is seen to have changed.
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
