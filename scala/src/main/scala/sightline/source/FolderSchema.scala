package sightline.source

import org.apache.spark.sql.types.*

object FolderSchema {

  /** The columns of a folder of images. A row has content or an error, never both. */
  val Type: StructType = new StructType()
    .add(Columns.Path, StringType, nullable = false)
    .add(Columns.RelativePath, StringType, nullable = false)
    .add(Columns.Length, LongType, nullable = false)
    .add(Columns.ModificationTime, TimestampType, nullable = false)
    .add(Columns.Content, BinaryType)
    .add(Columns.Error, Columns.ErrorType)
    .add(Columns.Label, StringType)
}
