package org.apache.spark.sightline

import java.util

import scala.jdk.CollectionConverters.*

import org.apache.spark.SparkRuntimeException

/**
 * An error whose condition is not one of Spark's own.
 *
 * PySpark and Spark Connect convert a `SparkRuntimeException` to a Python exception that has the
 * condition. Spark creates that class only for conditions that it knows, so the methods that return
 * the condition are overridden here.
 *
 * @param template the condition's message, with `<parameters>`
 * @param text the complete message
 */
abstract class ConditionException(
    condition: String,
    sqlState: String,
    override protected val template: String,
    parameters: Map[String, String],
    text: String,
) extends SparkRuntimeException(
      errorClass = "INTERNAL_ERROR",
      messageParameters = Map("message" -> text),
    )
    with MessageTemplate {

  final override def getMessage: String = text
  final override def getCondition: String = condition
  final override def getErrorClass: String = condition
  final override def getSqlState: String = sqlState
  final override def getMessageParameters: util.Map[String, String] = parameters.asJava
  final override def isInternalError: Boolean = false
}
