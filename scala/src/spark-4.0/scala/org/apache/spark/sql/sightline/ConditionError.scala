package org.apache.spark.sql.sightline

import org.apache.spark.sql.AnalysisException

import sightline.SightlineException

/**
 * Spark's analysis error of a Sightline error. Spark 4.0 finds the SQLSTATE by the condition, and has no
 * public constructor for a complete message.
 */
final private[sightline] class ConditionError(error: SightlineException)
    extends AnalysisException(
      message = error.getMessage,
      errorClass = Some(error.getCondition),
      messageParameters = error.parameters,
    )

private[sightline] object ConditionError {
  def apply(error: SightlineException): AnalysisException = new ConditionError(error)
}
