package org.apache.spark.sql.sightline

import scala.util.control.NonFatal

import org.apache.spark.sql.AnalysisException

import sightline.{ErrorTranslation, SightlineException}

/** Converts errors of SQL functions, statements and the data source to Spark's analysis errors. */
object AnalysisErrors {

  /**
   * Evaluates `build`.
   *
   * @throws AnalysisException for an error that is, or translates to, a Sightline error
   */
  def analysed[A](build: => A): A =
    try build
    catch {
      case error: AnalysisException => throw error
      case NonFatal(error) => throw ErrorTranslation.translate(error).fold(error)(asAnalysis)
    }

  private def asAnalysis(error: SightlineException): AnalysisException =
    new AnalysisException(
      errorClass = error.getCondition,
      sqlState = error.getSqlState,
      messageTemplate = error.getDefaultMessageTemplate,
      messageParameters = error.parameters,
      // With a cause, spark-sql would print a stack trace.
      cause = None,
      message = Some(error.getMessage),
    )
}
