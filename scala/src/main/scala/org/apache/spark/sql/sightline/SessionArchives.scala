package org.apache.spark.sql.sightline

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.classic.ClassicConversions.castToImpl

/** Adds archives for the workers of a session. */
object SessionArchives {

  /**
   * Adds an archive to the folder of the session's workers. Since Spark 4 a session that has its own
   * artifacts does not use those of `SparkContext.addArchive`.
   *
   * @param uri the archive's URI, with `#name` for the folder that it is unpacked to
   */
  def add(spark: SparkSession, uri: String): Unit = {
    val classic = castToImpl(spark)
    classic.artifactManager.withResources(classic.sparkContext.addArchive(uri))
  }
}
