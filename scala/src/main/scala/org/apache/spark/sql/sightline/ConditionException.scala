package org.apache.spark.sql.sightline

import java.util

import scala.jdk.CollectionConverters.*

import org.apache.spark.SparkRuntimeException

/**
 * An error with a condition that is not one of Spark's own.
 *
 * It is a `SparkRuntimeException`, since that is what PySpark and Spark Connect turn into an
 * exception of Python's that has the condition. Spark's class can only be made from a condition
 * that Spark knows, so everything that tells of the condition is overridden.
 *
 * @param template the condition's message, with `<parameters>`
 * @param text the whole message
 */
abstract class ConditionException(
    condition: String,
    sqlState: String,
    template: String,
    parameters: Map[String, String],
    text: String,
) extends SparkRuntimeException(
      errorClass = "INTERNAL_ERROR",
      messageParameters = Map("message" -> text),
    ) {

  SparkConditions.register()

  final override def getMessage: String = text
  final override def getCondition: String = condition
  final override def getErrorClass: String = condition
  final override def getSqlState: String = sqlState
  final override def getDefaultMessageTemplate: String = template
  final override def getMessageParameters: util.Map[String, String] = parameters.asJava
  final override def isInternalError: Boolean = false
}
