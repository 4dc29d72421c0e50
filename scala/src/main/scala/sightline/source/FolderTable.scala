package sightline.source

import java.util

import scala.jdk.CollectionConverters.*

import org.apache.spark.sql.connector.catalog.{SupportsRead, Table, TableCapability, TableCatalog}
import org.apache.spark.sql.connector.read.ScanBuilder
import org.apache.spark.sql.sightline.AnalysisErrors
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.util.CaseInsensitiveStringMap

/**
 * The files of a folder or glob as a table.
 *
 * @param listed the files, if the caller has listed them already; None: the scan lists them
 * @param properties the table's properties, from CREATE TABLE … USING sightline
 */
final case class FolderTable(
    listed: Option[IndexedSeq[ImageFile]],
    override val properties: util.Map[String, String] = util.Map.of(),
) extends Table
    with SupportsRead {
  override def name(): String = "sightline"
  override def schema(): StructType = FolderSchema.Type
  // MICRO_BATCH_READ, so that a query of a stream reaches RefuseStream, which suggests an alternative.
  override def capabilities(): util.Set[TableCapability] =
    Set(TableCapability.BATCH_READ, TableCapability.MICRO_BATCH_READ).asJava
  override def newScanBuilder(options: CaseInsensitiveStringMap): ScanBuilder =
    AnalysisErrors.analysed(new FolderScanBuilder(FolderScanOptions.parse(merged(options)), listed))

  /** A query's options override those of CREATE TABLE. */
  private def merged(options: CaseInsensitiveStringMap): CaseInsensitiveStringMap = {
    // A catalog adds other properties; those of OPTIONS have a prefix, LOCATION is `path`.
    val created = properties.asScala.collect {
      case (key, value) if key.startsWith(TableCatalog.OPTION_PREFIX) =>
        key.stripPrefix(TableCatalog.OPTION_PREFIX) -> value
      case (key, value) if key.equalsIgnoreCase("path") => "path" -> value
    }
    val both = new util.HashMap[String, String](new CaseInsensitiveStringMap(created.asJava))
    // The catalog's path is fully qualified, unlike that of OPTIONS.
    Option(properties.get("path")).foreach(both.put("path", _))
    both.putAll(options)
    new CaseInsensitiveStringMap(both)
  }
}
