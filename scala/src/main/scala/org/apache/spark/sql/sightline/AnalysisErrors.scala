package org.apache.spark.sql.sightline

import org.apache.spark.sql.AnalysisException

import sightline.SightlineException

/** Wrong use of a SQL function, as SQL clients expect to be told: one line, without a trace. */
object AnalysisErrors {

  /** `build`, with our own errors turned into Spark's. */
  def analysed[A](build: => A): A =
    try build
    catch {
      case error: SightlineException =>
        throw new AnalysisException(
          message = error.getMessage,
          line = None,
          startPosition = None,
          // With a cause, spark-sql would print its trace.
          cause = None,
          errorClass = None,
          messageParameters = Map.empty[String, String],
          context = Array.empty,
        )
    }
}
