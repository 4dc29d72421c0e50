package org.apache.spark.sql.sightline

import org.apache.spark.sql.AnalysisException

import sightline.SightlineException

/** Spark's analysis error of a Sightline error. */
private[sightline] object ConditionError {

  def apply(error: SightlineException): AnalysisException =
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
