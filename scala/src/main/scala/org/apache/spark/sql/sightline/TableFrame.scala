package org.apache.spark.sql.sightline

import scala.jdk.CollectionConverters.*

import org.apache.spark.sql.classic.ClassicConversions.castToImpl
import org.apache.spark.sql.classic.Dataset
import org.apache.spark.sql.connector.catalog.Table
import org.apache.spark.sql.execution.datasources.v2.DataSourceV2Relation
import org.apache.spark.sql.util.CaseInsensitiveStringMap
import org.apache.spark.sql.{DataFrame, SparkSession}

/** A frame over a table object of the caller. Spark uses this object, not a copy, with its state. */
object TableFrame {
  def apply(spark: SparkSession, table: Table, options: Map[String, String]): DataFrame =
    Dataset.ofRows(
      castToImpl(spark),
      DataSourceV2Relation.create(
        table,
        None,
        None,
        new CaseInsensitiveStringMap(options.asJava),
      ),
    )
}
