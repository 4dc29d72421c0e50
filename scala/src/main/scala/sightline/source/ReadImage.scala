package sightline.source

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.sql.api.java.UDF1
import org.apache.spark.sql.expressions.UserDefinedFunction
import org.apache.spark.sql.functions.udf
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.{Row, SparkSession}
import org.apache.spark.util.SerializableConfiguration

/** Reads the file that a path column names, where the row is: `struct<content, error>`. */
object ReadImage {

  /** `content binary, error struct<code, stage, message>`: one of the two, or null for no path. */
  val ResultType: StructType = new StructType()
    .add("content", "binary")
    .add("error", Columns.ErrorType)

  /**
   * @param root folder or URI that relative paths start from
   * @param maxImageBytes larger files are TOO_LARGE and not opened
   */
  def function(spark: SparkSession, root: String, maxImageBytes: Long): UserDefinedFunction = {
    val hadoop = spark.sparkContext.broadcast(
      new SerializableConfiguration(spark.sessionState.newHadoopConf()),
    )
    // Not deterministic: a file may change, and a plan must never read it twice for one row.
    udf(new Reader(root, maxImageBytes, hadoop), ResultType).asNondeterministic()
  }

  final private class Reader(
      root: String,
      maxImageBytes: Long,
      hadoop: Broadcast[SerializableConfiguration],
  ) extends UDF1[String, Row] {

    override def call(path: String): Row =
      Option(path).map { text =>
        read(text, hadoop.value.value) match {
          case Right(bytes) => Row(bytes, None.orNull)
          case Left(error) => Row(None.orNull, Row(error.code, error.stage, error.message))
        }
      }.orNull

    private def read(text: String, configuration: Configuration): Either[ReadError, Array[Byte]] =
      resolve(text).flatMap(ImageBytes.read(_, None, maxImageBytes, configuration))

    private def resolve(text: String): Either[ReadError, Path] =
      scala.util
        .Try(if (isUri(text)) new Path(text) else new Path(new Path(root), plainPath(text)))
        .toEither
        .left
        .map(error => ReadError(ErrorCode.NotFound, s"not a path: ${error.getMessage}"))

    private def isUri(text: String): Boolean = text.matches("(?s)[A-Za-z][A-Za-z0-9+.-]*:/.*")

    // By its parts, since Hadoop would take what stands before a colon in a name for a scheme.
    private def plainPath(text: String): Path = new Path(None.orNull, None.orNull, text)
  }
}
