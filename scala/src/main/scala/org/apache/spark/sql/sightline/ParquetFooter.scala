package org.apache.spark.sql.sightline

import scala.jdk.CollectionConverters.*
import scala.util.{Failure, Success, Try}

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileStatus, Path}
import org.apache.parquet.hadoop.ParquetFileReader
import org.apache.parquet.hadoop.metadata.FileMetaData
import org.apache.parquet.hadoop.util.HadoopInputFile
import org.apache.parquet.schema.{MessageType, Type}
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.classic.ClassicConversions.castToImpl
import org.apache.spark.sql.execution.datasources.parquet.ParquetToSparkSchemaConverter
import org.apache.spark.sql.types.StructType
import org.apache.spark.util.ThreadUtils

/** @param bytes of all columns, before compression */
final case class ParquetSize(rows: Long, bytes: Long)

/** Reads the footers of Parquet files. */
object ParquetFooter {

  // A footer on an object store takes some 50 ms, nearly all of it waiting.
  private val MaxThreads = 16
  // With more files, tasks of Spark read the footers faster than one driver.
  private val MaxFiles = 1000

  /**
   * Reads the metadata in a file's footer.
   *
   * @throws RuntimeException for a file that is not Parquet
   */
  def read(file: Path, hadoop: Configuration): FileMetaData = {
    val reader = ParquetFileReader.open(HadoopInputFile.fromPath(file, hadoop))
    try reader.getFooter.getFileMetaData
    finally reader.close()
  }

  /**
   * The rows and the bytes of files, from their footers, which are read in parallel on the driver; None
   * for more than 1,000 files.
   *
   * @throws RuntimeException for a file that is not Parquet
   */
  def size(files: Seq[FileStatus], hadoop: Configuration): Option[ParquetSize] =
    Option.when(files.size <= MaxFiles) {
      val threads = MaxThreads.min(files.size.max(1))
      // A Try, because `parmap` wraps an error in one that does not name the file.
      val sizes = ThreadUtils
        .parmap(files, "sightline-footers", threads)(file => Try(size(file, hadoop)))
        .map(_.get)
      ParquetSize(sizes.map(_.rows).sum, sizes.map(_.bytes).sum)
    }

  private def size(file: FileStatus, hadoop: Configuration): ParquetSize = {
    val reader = ParquetFileReader.open(HadoopInputFile.fromStatus(file, hadoop))
    try {
      val groups = reader.getFooter.getBlocks.asScala
      ParquetSize(groups.map(_.getRowCount).sum, groups.map(_.getTotalByteSize).sum)
    } finally reader.close()
  }

  /** The schema of the fields that have a type in Spark, and the names of the other fields. */
  def schema(spark: SparkSession, fields: Seq[Type]): (StructType, Seq[String]) = {
    val converter = new ParquetToSparkSchemaConverter(castToImpl(spark).sessionState.conf)
    val converted = fields.map { field =>
      field.getName -> Try(converter.convert(new MessageType("fields", field)))
    }
    (
      StructType(converted.collect { case (_, Success(one)) => one }.flatten),
      converted.collect { case (name, Failure(_)) => name },
    )
  }
}
