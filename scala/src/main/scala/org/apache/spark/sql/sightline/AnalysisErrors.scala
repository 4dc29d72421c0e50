package org.apache.spark.sql.sightline

import scala.util.control.NonFatal

import org.apache.spark.sql.AnalysisException

import sightline.{ErrorTranslation, SightlineException}

/** Wrong use of a SQL function, a statement or the data source, as SQL clients expect it. */
object AnalysisErrors {

  /** `build`, with our own errors, and foreign ones that have a condition, turned into Spark's. */
  def analysed[A](build: => A): A =
    try build
    catch {
      case told: AnalysisException => throw told
      case NonFatal(error) => throw ErrorTranslation.translate(error).fold(error)(asAnalysis)
    }

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
