package org.apache.spark.sql.sightline

import java.io.InputStream

import com.univocity.parsers.csv.CsvParser
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.csv.CSVOptions
import org.apache.spark.sql.execution.datasources.CodecStreams

/** A CSV file as Spark's own source reads it. */
object CsvFile {

  /** The file's bytes, decompressed if its name has the ending of a codec. */
  def open(file: Path, hadoop: Configuration): InputStream =
    CodecStreams.createInputStreamWithCloseResource(hadoop, file)

  /** A parser with the settings that Spark derives from the options of its CSV source. */
  def parser(spark: SparkSession, options: Map[String, String]): CsvParser =
    new CsvParser(
      new CSVOptions(
        options,
        columnPruning = false,
        defaultTimeZoneId = spark.sessionState.conf.sessionLocalTimeZone,
      ).asParserSettings
    )
}
