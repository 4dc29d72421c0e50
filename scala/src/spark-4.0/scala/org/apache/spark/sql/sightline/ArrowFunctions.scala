package org.apache.spark.sql.sightline

/** Spark's functions from Arrow arrays to Arrow arrays. */
object ArrowFunctions {

  /** The code of such functions; Spark 4.0 has none, so whole rows are sent to the worker. */
  val evalType: Option[Int] = None
}
