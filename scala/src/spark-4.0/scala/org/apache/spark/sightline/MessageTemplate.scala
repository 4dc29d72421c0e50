package org.apache.spark.sightline

import org.apache.spark.SparkThrowable

/** An error that knows the template of its message. Spark 4.0 does not ask for it. */
private[sightline] trait MessageTemplate extends SparkThrowable {

  protected def template: String

  def getDefaultMessageTemplate: String = template
}
