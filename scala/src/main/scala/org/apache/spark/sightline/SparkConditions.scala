package org.apache.spark.sightline

import scala.util.control.NonFatal

import org.apache.spark.internal.Logging
import org.apache.spark.{ErrorClassesJsonReader, ErrorInfo, SparkThrowableHelper}

/**
 * Adds error conditions to Spark's own list.
 *
 * Some callers look a condition up in that list instead of reading it from the exception, and fail
 * with an internal error if it is missing: `getMessage()` of PySpark's exceptions, and the log entry
 * of an error with a query context. Spark has no public method that adds to the list.
 */
object SparkConditions extends Logging {

  /**
   * Adds conditions. A condition that Spark has already keeps Spark's message.
   *
   * @param conditions name to message template and SQLSTATE
   */
  def register(conditions: Map[String, (String, String)]): Unit =
    try {
      val reader = SparkThrowableHelper.errorReader
      val field = classOf[ErrorClassesJsonReader].getDeclaredField("errorInfoMap")
      field.setAccessible(true)
      val added = conditions.map { case (name, (template, sqlState)) =>
        name -> ErrorInfo(Seq(template), subClass = None, sqlState = Some(sqlState))
      }
      field.set(reader, added ++ reader.errorInfoMap)
    } catch {
      case NonFatal(error) =>
        logWarning("PySpark's getMessage() will not find the error conditions of Sightline.", error)
    }
}
