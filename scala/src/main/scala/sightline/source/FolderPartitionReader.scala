package sightline.source

import java.util.concurrent.TimeUnit.MILLISECONDS

import org.apache.hadoop.fs.Path
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.connector.metric.CustomTaskMetric
import org.apache.spark.sql.connector.read.{InputPartition, PartitionReader, PartitionReaderFactory}
import org.apache.spark.sql.types.StructType
import org.apache.spark.unsafe.types.UTF8String
import org.apache.spark.util.SerializableConfiguration

/** The files of one task. */
final private[source] case class FolderPartition(files: IndexedSeq[ImageFile])
    extends InputPartition

final private[source] case class FolderReaderFactory(
    schema: StructType,
    maxImageBytes: Long,
    roots: AllowedRoots,
    hadoop: Broadcast[SerializableConfiguration],
) extends PartitionReaderFactory {

  override def createReader(partition: InputPartition): PartitionReader[InternalRow] =
    partition match {
      case FolderPartition(files) => new FolderPartitionReader(files, this)
      case other => throw new IllegalArgumentException(s"not an image partition: $other")
    }
}

/** Reads files one after the other; opens none unless its content or error is asked for. */
final private[source] class FolderPartitionReader(
    files: IndexedSeq[ImageFile],
    factory: FolderReaderFactory,
) extends PartitionReader[InternalRow] {

  private val columns = factory.schema.fieldNames
  private val opens = columns.contains(Columns.Content) || columns.contains(Columns.Error)
  private val counts = new ReadCounts
  private val rows = files.iterator.map(row)
  private val current = new java.util.concurrent.atomic.AtomicReference[InternalRow]

  override def next(): Boolean = {
    val more = rows.hasNext
    if (more) current.set(rows.next())
    more
  }

  override def get(): InternalRow = current.get

  override def currentMetricsValues(): Array[CustomTaskMetric] = counts.values

  override def close(): Unit = ()

  private def row(file: ImageFile): InternalRow = {
    val content = if (opens) read(file) else Left(None)
    InternalRow.fromSeq(columns.toIndexedSeq.map {
      case Columns.Path => UTF8String.fromString(file.path)
      case Columns.RelativePath => UTF8String.fromString(file.relativePath)
      case Columns.Length => file.length
      case Columns.ModificationTime => MILLISECONDS.toMicros(file.modificationTime)
      case Columns.Content => content.toOption.orNull
      case Columns.Error => content.left.toOption.flatten.map(_.toRow).orNull
      case Columns.Label => file.label.map(UTF8String.fromString).orNull
      case other => throw new IllegalArgumentException(s"no such column: $other")
    })
  }

  private def read(file: ImageFile): Either[Option[ReadError], Array[Byte]] = {
    // Local files are listed without a scheme, and the default file system may be another.
    val isLocal = file.path.startsWith("/")
    val result = file.error.orElse(refusal(file.path, isLocal)).toLeft(()).flatMap { _ =>
      if (isLocal)
        FileBytes.readLocal(file.path, Some(file.length), factory.maxImageBytes)
      else
        FileBytes.read(
          new Path(file.path),
          Some(file.length),
          factory.maxImageBytes,
          factory.hadoop.value.value,
        )
    }
    counts.add(result)
    result.left.map(Some(_))
  }

  private def refusal(path: String, isLocal: Boolean): Option[ReadError] =
    if (isLocal) factory.roots.localRefusal(path)
    else factory.roots.refusal(new Path(path), factory.hadoop.value.value)
}
