package org.apache.spark.sightline

import org.apache.spark.SparkThrowable

/** An error that knows the template of its message. */
private[sightline] trait MessageTemplate extends SparkThrowable {

  protected def template: String

  override def getDefaultMessageTemplate: String = template
}
