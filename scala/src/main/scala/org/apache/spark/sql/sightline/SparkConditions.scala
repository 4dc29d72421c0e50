package org.apache.spark.sql.sightline

import scala.util.control.NonFatal

import org.apache.spark.internal.Logging
import org.apache.spark.{ErrorClassesJsonReader, ErrorInfo, SparkThrowableHelper}

import sightline.ErrorConditions

/**
 * Makes our conditions known to Spark.
 *
 * Spark has a place for conditions of others in its exceptions, but not everything asks the
 * exception: `getMessage()` of PySpark's exceptions, and the log of an error with a query's
 * context, look the condition up in Spark's own list, and fail with an internal error if it is not
 * there. Spark offers no way to add to that list.
 */
object SparkConditions extends Logging {

  private lazy val registered: Boolean =
    try {
      val reader = SparkThrowableHelper.errorReader
      val field = classOf[ErrorClassesJsonReader].getDeclaredField("errorInfoMap")
      field.setAccessible(true)
      // A condition of Spark's that we use too keeps Spark's message there.
      field.set(reader, ours ++ reader.errorInfoMap)
      true
    } catch {
      case NonFatal(error) =>
        logWarning("PySpark's getMessage() will not know the errors of Sightline.", error)
        false
    }

  /** Adds them, once for a JVM. */
  def register(): Unit = registered: Unit

  private def ours: Map[String, ErrorInfo] = ErrorConditions.all.map { case (name, condition) =>
    name -> ErrorInfo(Seq(condition.template), subClass = None, sqlState = Some(condition.sqlState))
  }
}
