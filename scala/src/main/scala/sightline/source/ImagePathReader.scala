package sightline.source

import java.util.regex.Pattern

import scala.util.Try

import org.apache.hadoop.fs.{FileSystem, Path}
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.sql.sightline.PathReader
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.{Row, SparkSession}
import org.apache.spark.util.SerializableConfiguration

/**
 * Reads the images that a column of paths names. The result has either content or an error.
 *
 * @param root folder or URI that relative paths start from
 * @param maxImageBytes larger files give the error TOO_LARGE and are not opened
 * @param roots files elsewhere give the error DENIED
 * @param hadoop settings of the file systems; not part of a reader's equality
 */
final case class ImagePathReader(root: String, maxImageBytes: Long, roots: AllowedRoots)(
    hadoop: Broadcast[SerializableConfiguration]
) extends PathReader {

  override def resultType: StructType = ImagePathReader.ResultType

  override def read(path: String): Row =
    ImagePathReader
      .resolve(root, path)
      .toEither
      .left
      .map(error => ReadError(ErrorCode.NotFound, s"not a path: ${error.getMessage}"))
      .flatMap(FileBytes.allowed(_, None, maxImageBytes, roots, hadoop.value.value)) match {
      case Right(bytes) => Row(bytes, None.orNull)
      case Left(error) => Row(None.orNull, error.toRow)
    }
}

object ImagePathReader {

  /** A regular expression for the start of a path with a scheme. */
  val Uri = "[A-Za-z][A-Za-z0-9+.-]*:/"

  private val Absolute = Pattern.compile(Uri)

  /** The type of the result: `struct<content, error>`. */
  val ResultType: StructType = new StructType()
    .add("content", "binary")
    .add("error", Columns.ErrorType)

  /** The reader with a session's settings and allowed roots. */
  def apply(spark: SparkSession, root: String, maxImageBytes: Long): ImagePathReader =
    ImagePathReader(root, maxImageBytes, AllowedRoots.of(spark))(
      spark.sparkContext.broadcast(
        new SerializableConfiguration(spark.sessionState.newHadoopConf())
      )
    )

  /** The reader whose relative paths start from the working folder of the default file system. */
  def inWorkingFolder(spark: SparkSession, maxImageBytes: Long): ImagePathReader = {
    val folder = FileSystem.get(spark.sessionState.newHadoopConf()).getWorkingDirectory
    ImagePathReader(spark, folder.toString, maxImageBytes)
  }

  /** The path that a table's text names: a URI, or a path relative to `root`. */
  private[source] def resolve(root: String, text: String): Try[Path] = Try(
    if (Absolute.matcher(text).lookingAt) new Path(text)
    // By its parts, because Hadoop would read the part before a colon in a name as a scheme.
    else new Path(new Path(root), new Path(None.orNull, None.orNull, text))
  )
}
