package org.apache.spark.sql.sightline

import scala.util.{Failure, Success, Try}

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.parquet.hadoop.ParquetFileReader
import org.apache.parquet.hadoop.metadata.FileMetaData
import org.apache.parquet.hadoop.util.HadoopInputFile
import org.apache.parquet.schema.{MessageType, Type}
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.classic.ClassicConversions.castToImpl
import org.apache.spark.sql.execution.datasources.parquet.ParquetToSparkSchemaConverter
import org.apache.spark.sql.types.StructType

/** What a Parquet file says of itself at its end. */
object ParquetFooter {

  /** @throws RuntimeException for a file that is no Parquet */
  def read(file: Path, hadoop: Configuration): FileMetaData = {
    val reader = ParquetFileReader.open(HadoopInputFile.fromPath(file, hadoop))
    try reader.getFooter.getFileMetaData
    finally reader.close()
  }

  /** The fields that Spark has a type for, by how they are stored, and the names of the others. */
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
