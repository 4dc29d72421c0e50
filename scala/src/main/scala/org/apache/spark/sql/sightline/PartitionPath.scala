package org.apache.spark.sql.sightline

import org.apache.spark.sql.catalyst.catalog.ExternalCatalogUtils

/** Values of partition columns in the paths that Spark writes. */
object PartitionPath {

  /** A value as Spark writes it in a folder's name: characters that paths reserve are escaped. */
  def escaped(value: String): String = ExternalCatalogUtils.escapePathName(value)
}
