package org.apache.spark.sql.sightline

import org.apache.spark.api.python.PythonEvalType

/** Spark's functions from Arrow arrays to Arrow arrays. */
object ArrowFunctions {

  /** The code of such functions; None if Spark has none. */
  val evalType: Option[Int] = Some(PythonEvalType.SQL_SCALAR_ARROW_ITER_UDF)
}
