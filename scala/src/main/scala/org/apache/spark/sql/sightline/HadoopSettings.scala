package org.apache.spark.sql.sightline

import org.apache.hadoop.conf.Configuration
import org.apache.spark.SparkConf
import org.apache.spark.deploy.SparkHadoopUtil

/** Settings of Hadoop's file systems before a session starts. */
object HadoopSettings {

  /** Hadoop's settings with those of `spark.hadoop.*`, as the session will have them. */
  def beforeSession: Configuration = SparkHadoopUtil.get.newConfiguration(new SparkConf)
}
