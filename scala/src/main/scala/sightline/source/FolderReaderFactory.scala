package sightline.source

import java.util.concurrent.TimeUnit.MILLISECONDS

import org.apache.hadoop.fs.Path
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.sql.Row
import org.apache.spark.sql.connector.read.{InputPartition, PartitionReaderFactory}
import org.apache.spark.sql.sightline.RowReader
import org.apache.spark.sql.types.StructType
import org.apache.spark.util.SerializableConfiguration

/** The files of one task. */
final private[source] case class FolderPartition(files: IndexedSeq[ImageFile])
    extends InputPartition

/** Reads files one after the other; opens none unless a query needs their content or error. */
final private[source] case class FolderReaderFactory(
    schema: StructType,
    maxImageBytes: Long,
    roots: AllowedRoots,
    hadoop: Broadcast[SerializableConfiguration],
) extends PartitionReaderFactory {

  private lazy val columns = schema.fieldNames.toIndexedSeq
  private lazy val opens = columns.contains(Columns.Content) || columns.contains(Columns.Error)

  override def createReader(partition: InputPartition): RowReader =
    partition match {
      case FolderPartition(files) =>
        val counts = new ReadCounts
        new RowReader(files.iterator.map(row(_, counts)), () => counts.values)
      case other => throw new IllegalArgumentException(s"not an image partition: $other")
    }

  private def row(file: ImageFile, counts: ReadCounts): Row = {
    val content = if (opens) read(file, counts) else Left(None)
    Row.fromSeq(columns.map {
      case Columns.Path => file.path
      case Columns.RelativePath => file.relativePath
      case Columns.Length => file.length
      case Columns.ModificationTime => MILLISECONDS.toMicros(file.modificationTime)
      case Columns.Content => content.toOption.orNull
      case Columns.Error => content.left.toOption.flatten.map(_.toRow).orNull
      case Columns.Label => file.label.orNull
      case other => throw new IllegalArgumentException(s"no such column: $other")
    })
  }

  private def read(
      file: ImageFile,
      counts: ReadCounts,
  ): Either[Option[ReadError], Array[Byte]] = {
    val size = Some(file.length)
    // Local files are listed without a scheme, and the default file system may be another.
    val result = file.error.toLeft(()).flatMap { _ =>
      if (file.path.startsWith("/")) FileBytes.allowedLocal(file.path, size, maxImageBytes, roots)
      else
        FileBytes.allowed(new Path(file.path), size, maxImageBytes, roots, hadoop.value.value)
    }
    counts.add(result)
    result.left.map(Some(_))
  }
}
