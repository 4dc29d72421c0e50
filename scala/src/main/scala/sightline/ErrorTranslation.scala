package sightline

import java.io.FileNotFoundException
import java.net.{SocketException, SocketTimeoutException, URISyntaxException, UnknownHostException}
import java.nio.file.{AccessDeniedException, InvalidPathException, NoSuchFileException}

import org.apache.hadoop.fs.UnsupportedFileSystemException
import org.apache.hadoop.security.AccessControlException
import org.apache.spark.SparkThrowable

/**
 * Translates errors of Java, Hadoop, Spark and the Python workers to errors that a user can act on, for
 * commands, SQL functions, statements and the data source.
 */
object ErrorTranslation {

  // A worker's error in the Python traceback that Spark reports.
  private val WorkerError = """(?m)^sightline\.errors\.\w+: ([A-Z_0-9]+): (.*)$""".r

  // The errors that `--on-error fail` and `handleInvalid=error` raise in a task, as Spark wraps them.
  private val RaisedInTask =
    """(?s)\[USER_RAISED_EXCEPTION\] (IMAGE_FAILED|ROW_FAILED): (.*?)\s+SQLSTATE: \w+""".r

  // Java has no exception classes for these, only messages of the operating system.
  private val NoSpace = "(?:[^\\s:]+: )?(?:No space left on device|Disk quota exceeded)".r
  private val Denied = "(?:(\\S+) )?\\(?(Permission denied|Read-only file system)\\)?".r
  private val NotCreated = "Mkdirs failed to create (?:file:)?(\\S+)".r
  private val NotFound = "(?:File )?(\\S+)(?: does not exist| \\(No such file or directory\\)).*".r

  // The classes of the connectors are not on the class path of this jar.
  private val Refused = Set("GoogleJsonResponseException", "HttpResponseException", "S3Exception")
  private val Unanswered = Set("NoHttpResponseException", "HttpChannelEOFException")
  private val Bucket = "s3a://[^/'`: ]+".r
  private val NoCredentials =
    ("No AWS Credentials provided|Unable to load credentials from any of the providers|" +
      "default credentials (?:were not found|are not available)").r
  private val MissingFileSystem =
    """No FileSystem for scheme "(\w+)"|hadoop\.fs\.(s3a)\.S3AFileSystem|(gcs)\.GoogleHadoopF""".r

  /** The error and its causes, the outermost first. */
  def causes(error: Throwable): Seq[Throwable] =
    Iterator.iterate(error)(_.getCause).takeWhile(Option(_).isDefined).take(20).toSeq

  /** The Sightline error that `error` is, wraps or corresponds to; None if there is none. */
  def translate(error: Throwable): Option[SightlineException] = {
    val all = causes(error)
    all
      .collectFirst { case ours: SightlineException => ours }
      .orElse(all.flatMap(ofSql).headOption)
      .orElse(all.flatMap(ofWorker).headOption)
      .orElse(all.flatMap(ofDisk).headOption)
      .orElse(all.reverseIterator.flatMap(ofClass).nextOption())
      .orElse(all.flatMap(ofStorage).headOption)
  }

  /** A Sightline error that was converted for SQL clients. */
  private def ofSql(error: Throwable): Option[SightlineException] = error match {
    case converted: SparkThrowable =>
      for {
        condition <- Option(converted.getCondition)
        line <- message(error).linesIterator.nextOption()
        if line.startsWith(s"$condition: ")
        ours <- SightlineException.relayed(condition, line.stripPrefix(s"$condition: "))
      } yield ours
    case _ => None
  }

  private def ofWorker(error: Throwable): Option[SightlineException] =
    Seq(WorkerError, RaisedInTask)
      .flatMap(_.findFirstMatchIn(message(error)))
      .flatMap(found => SightlineException.relayed(found.group(1), found.group(2)))
      .headOption

  private def ofDisk(error: Throwable): Option[SightlineException] =
    NoSpace
      .findFirstIn(message(error))
      .map(reason => SightlineException("DISK_FULL", "reason" -> reason))

  private def ofClass(error: Throwable): Option[SightlineException] = {
    def ours(condition: String): Option[SightlineException] =
      Some(SightlineException(condition, "reason" -> firstLine(error)))
    error match {
      case _: UnsupportedFileSystemException => Some(unknownScheme(error))
      case _: ClassNotFoundException if message(error).contains("FileSystem") =>
        Some(unknownScheme(error))
      case _ if error.getClass.getSimpleName == "UnknownStoreException" =>
        Bucket.findFirstIn(message(error)).map(ObjectStore.noBucket)
      case _ if NoCredentials.findFirstIn(message(error)).isDefined => ours("CREDENTIALS_NOT_FOUND")
      case _ if Refused(error.getClass.getSimpleName) && hasStatus(error, "40[13]") =>
        ours("PERMISSION_DENIED")
      case _: UnknownHostException => ours("UNKNOWN_HOST")
      // A SocketException is also that of a connection that is refused or has no route.
      case _: SocketException | _: SocketTimeoutException => ours("STORAGE_UNREACHABLE")
      case _ if Unanswered(error.getClass.getSimpleName) => ours("STORAGE_UNREACHABLE")
      case _ if Refused(error.getClass.getSimpleName) && hasStatus(error, "5\\d\\d") =>
        ours("STORAGE_UNREACHABLE")
      case _: AccessDeniedException | _: AccessControlException => ours("PERMISSION_DENIED")
      case _: URISyntaxException | _: InvalidPathException => ours("INVALID_PATH")
      case _: IllegalArgumentException if message(error).startsWith("Can not create a Path") =>
        ours("INVALID_PATH")
      case _ if message(error).contains("File name too long") => ours("INVALID_PATH")
      case missing: NoSuchFileException => Some(notFound(missing.getFile))
      case _: FileNotFoundException =>
        message(error) match {
          case NotFound(path) => Some(notFound(path))
          case _ => None
        }
      case _ => None
    }
  }

  private def unknownScheme(error: Throwable): SightlineException =
    MissingFileSystem
      .findFirstMatchIn(message(error))
      .flatMap(_.subgroups.flatMap(Option(_)).headOption)
      .flatMap(found => Connector.ofScheme(if (found == "gcs") "gs" else found))
      .map(_.missing)
      .getOrElse(SightlineException("UNKNOWN_SCHEME", "reason" -> firstLine(error)))

  private def hasStatus(error: Throwable, status: String): Boolean =
    message(error).matches(s"(?s)$status\\b.*|.*Status Code: $status\\b.*")

  private def ofStorage(error: Throwable): Option[SightlineException] =
    NotCreated
      .findFirstMatchIn(message(error))
      .map(found =>
        SightlineException(
          "OUTPUT_NOT_WRITTEN",
          "path" -> found.group(1),
          "reason" -> "the folder cannot be created",
        )
      )
      .orElse(
        Denied
          .findFirstIn(message(error))
          .map(reason => SightlineException("PERMISSION_DENIED", "reason" -> reason))
      )

  private def notFound(path: String): SightlineException =
    SightlineException(
      "PATH_NOT_FOUND",
      "path" -> path,
      "reason" -> "does not exist",
      "hint" -> "Check the path; another run may have removed it.",
    )

  private def message(error: Throwable): String = Option(error.getMessage).getOrElse("")

  /** The first line of an error's message; its class name if it has no message. */
  def firstLine(error: Throwable): String =
    message(error).linesIterator.find(_.trim.nonEmpty).getOrElse(error.toString)
}
