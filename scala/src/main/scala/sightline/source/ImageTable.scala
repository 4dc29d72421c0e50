package sightline.source

import java.util

import scala.jdk.CollectionConverters.*

import org.apache.spark.sql.connector.catalog.{SupportsRead, Table, TableCapability}
import org.apache.spark.sql.connector.read.ScanBuilder
import org.apache.spark.sql.sightline.AnalysisErrors
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.util.CaseInsensitiveStringMap

/**
 * The files of a location as a table.
 *
 * @param listed the files, when the caller has listed them already
 */
final case class ImageTable(listed: Option[IndexedSeq[ImageFile]]) extends Table with SupportsRead {
  override def name(): String = "sightline"
  override def schema(): StructType = DefaultSource.Schema
  override def capabilities(): util.Set[TableCapability] = Set(TableCapability.BATCH_READ).asJava
  override def newScanBuilder(options: CaseInsensitiveStringMap): ScanBuilder =
    AnalysisErrors.analysed(new ImageScanBuilder(ImageScanOptions.parse(options), listed))
}
