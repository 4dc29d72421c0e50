package sightline.source

import java.util

import scala.jdk.CollectionConverters.*

import org.apache.spark.sql.connector.catalog.{SupportsRead, Table, TableCapability, TableCatalog}
import org.apache.spark.sql.connector.read.ScanBuilder
import org.apache.spark.sql.sightline.AnalysisErrors
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.util.CaseInsensitiveStringMap

/**
 * The files of a location as a table.
 *
 * @param listed the files, when the caller has listed them already
 * @param properties options that the table was created with, by CREATE TABLE … USING sightline
 */
final case class FolderTable(
    listed: Option[IndexedSeq[ImageFile]],
    override val properties: util.Map[String, String] = util.Map.of(),
) extends Table
    with SupportsRead {
  override def name(): String = "sightline"
  override def schema(): StructType = DefaultSource.Schema
  // It reads no stream: with the second Spark lets us say so, and what does (sql.RefuseStream).
  override def capabilities(): util.Set[TableCapability] =
    Set(TableCapability.BATCH_READ, TableCapability.MICRO_BATCH_READ).asJava
  override def newScanBuilder(options: CaseInsensitiveStringMap): ScanBuilder =
    AnalysisErrors.analysed(new FolderScanBuilder(FolderScanOptions.parse(merged(options)), listed))

  /** What a query says comes before what the table was created with. */
  private def merged(options: CaseInsensitiveStringMap): CaseInsensitiveStringMap = {
    // A catalog keeps properties of its own among them; OPTIONS have a prefix, LOCATION is the path.
    val created = properties.asScala.collect {
      case (key, value) if key.startsWith(TableCatalog.OPTION_PREFIX) =>
        key.stripPrefix(TableCatalog.OPTION_PREFIX) -> value
      case (key, value) if key.equalsIgnoreCase("path") => "path" -> value
    }
    val both = new util.HashMap[String, String](new CaseInsensitiveStringMap(created.asJava))
    // The catalog's path is whole, that of OPTIONS as it was written.
    Option(properties.get("path")).foreach(both.put("path", _))
    both.putAll(options)
    new CaseInsensitiveStringMap(both)
  }
}
