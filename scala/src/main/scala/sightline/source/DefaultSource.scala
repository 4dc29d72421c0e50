package sightline.source

import java.util

import org.apache.spark.sql.connector.catalog.{Table, TableProvider}
import org.apache.spark.sql.connector.expressions.Transform
import org.apache.spark.sql.sources.DataSourceRegister
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.util.CaseInsensitiveStringMap

/**
 * The data source `sightline`: `spark.read.format("sightline").load(folder or glob)` gives a row for
 * each file. Its options are those of [[FolderScanOptions]]; other options are errors.
 */
final class DefaultSource extends TableProvider with DataSourceRegister {

  override def shortName(): String = "sightline"

  override def inferSchema(options: CaseInsensitiveStringMap): StructType = FolderSchema.Type

  override def getTable(
      schema: StructType,
      partitioning: Array[Transform],
      properties: util.Map[String, String],
  ): Table = FolderTable(None, properties)
}
