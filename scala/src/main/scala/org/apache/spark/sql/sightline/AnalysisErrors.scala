package org.apache.spark.sql.sightline

import org.apache.spark.sql.AnalysisException

import sightline.SightlineException

/** Wrong use of a SQL function or statement, as SQL clients expect to be told. */
object AnalysisErrors {

  /** `build`, with our own errors turned into Spark's: one line, without a trace. */
  def analysed[A](build: => A): A =
    try build
    catch { case error: SightlineException => throw asAnalysis(error) }

  private def asAnalysis(error: SightlineException): AnalysisException =
    new AnalysisException(
      errorClass = error.getCondition,
      sqlState = error.getSqlState,
      messageTemplate = error.getDefaultMessageTemplate,
      messageParameters = error.parameters,
      // With a cause, spark-sql would print its trace.
      cause = None,
      message = Some(error.getMessage),
    )
}
