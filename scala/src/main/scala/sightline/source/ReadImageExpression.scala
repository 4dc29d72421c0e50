package sightline.source

import java.util.regex.Pattern

import scala.util.Try

import org.apache.hadoop.fs.Path
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.analysis.TypeCheckResult
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenFallback
import org.apache.spark.sql.catalyst.expressions.{Expression, UnaryExpression}
import org.apache.spark.sql.types.{DataType, NullType, StringType, StructType}
import org.apache.spark.util.SerializableConfiguration

/**
 * Reads the file that a path names, where the row is: `struct<content, error>` with one of the two,
 * or null for no path.
 *
 * @param child the path, a string; relative ones start from `root`
 * @param root folder or URI
 * @param maxImageBytes larger files are TOO_LARGE and not opened
 * @param roots where files may be; elsewhere they are DENIED
 * @param hadoop settings of the file systems
 */
final case class ReadImageExpression(
    child: Expression,
    root: String,
    maxImageBytes: Long,
    roots: AllowedRoots,
)(hadoop: Broadcast[SerializableConfiguration])
    extends UnaryExpression
    with CodegenFallback {

  override def checkInputDataTypes(): TypeCheckResult = child.dataType match {
    case _: StringType | NullType => TypeCheckResult.TypeCheckSuccess
    case other => TypeCheckResult.TypeCheckFailure(s"the path must be a string, not ${other.sql}")
  }

  // Two readings of one path are equal, whichever broadcast brings them their settings.
  override protected def otherCopyArgs: Seq[AnyRef] = Seq(hadoop)
  override def stringArgs: Iterator[Any] = Iterator(child)
  override def sql: String = s"$prettyName(${child.sql})"

  override def dataType: DataType = ReadImageExpression.ResultType
  override def nullable: Boolean = true
  override def prettyName: String = "read_image"

  override protected def nullSafeEval(path: Any): Any =
    resolve(path.toString).flatMap(read) match {
      case Right(bytes) => InternalRow(bytes, None.orNull)
      case Left(error) => InternalRow(None.orNull, error.toRow)
    }

  private def read(path: Path): Either[ReadError, Array[Byte]] =
    roots
      .refusal(path, hadoop.value.value)
      .toLeft(())
      .flatMap(_ => FileBytes.read(path, listedLength = None, maxImageBytes, hadoop.value.value))

  private def resolve(text: String): Either[ReadError, Path] =
    ReadImageExpression
      .resolve(root, text)
      .toEither
      .left
      .map(error => ReadError(ErrorCode.NotFound, s"not a path: ${error.getMessage}"))

  override protected def withNewChildInternal(newChild: Expression): ReadImageExpression =
    copy(child = newChild)(hadoop)
}

object ReadImageExpression {

  /** A regular expression of how a path with a scheme begins. */
  val Uri = "[A-Za-z][A-Za-z0-9+.-]*:/"

  private val Absolute = Pattern.compile(Uri)

  /** What a table's path names: a URI, or a path that starts from `root`. */
  private[source] def resolve(root: String, text: String): Try[Path] = Try(
    if (Absolute.matcher(text).lookingAt) new Path(text)
    // By its parts, since Hadoop would take what stands before a colon in a name for a scheme.
    else new Path(new Path(root), new Path(None.orNull, None.orNull, text))
  )

  val ResultType: StructType = new StructType()
    .add("content", "binary")
    .add("error", Columns.ErrorType)

  /** The expression for a session: relative paths start from `root`. */
  def apply(
      spark: SparkSession,
      path: Expression,
      root: String,
      maxImageBytes: Long,
  ): ReadImageExpression =
    ReadImageExpression(
      path,
      root,
      maxImageBytes,
      AllowedRoots.of(spark),
    )(
      spark.sparkContext.broadcast(
        new SerializableConfiguration(spark.sessionState.newHadoopConf())
      )
    )
}
