package org.apache.spark.sql.sightline

import scala.util.control.NonFatal

import org.apache.spark.sql.AnalysisException

import sightline.ErrorTranslation

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
      case NonFatal(error) => throw ErrorTranslation.translate(error).fold(error)(ConditionError(_))
    }
}
