package org.apache.spark.sql.sightline

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.classic.ClassicConversions.castToImpl

/** Archives for a session's own workers. */
object SessionArchives {

  /**
   * Like `SparkContext.addArchive`, but into the folder where the session's workers look: since
   * Spark 4 a session that has artifacts of its own does not see the context's.
   *
   * @param uri of the archive, with `#name` of the folder it is unpacked to
   */
  def add(spark: SparkSession, uri: String): Unit = {
    val classic = castToImpl(spark)
    classic.artifactManager.withResources(classic.sparkContext.addArchive(uri))
  }
}
