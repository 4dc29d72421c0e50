package sightline

import org.apache.spark.sql.SparkSession

/** A local Spark session with two slots, shared by all suites of a run. */
trait LocalSpark {

  /** A new session is started if a command under test has stopped the old one. */
  def spark: SparkSession = LocalSpark.session()
}

object LocalSpark {

  // The commands under test also use these settings when they start a session.
  private val settings = Map(
    "spark.master" -> "local[2]",
    "spark.ui.enabled" -> "false",
    "spark.log.level" -> "ERROR",
    "spark.driver.host" -> "localhost",
    "spark.driver.bindAddress" -> "127.0.0.1",
    "spark.sql.shuffle.partitions" -> "2",
  )
  settings.foreach { case (key, value) => System.setProperty(key, value) }

  private def session(): SparkSession = synchronized {
    SparkSession
      .builder()
      .appName("sightline tests")
      .config("spark.sql.extensions", "sightline.sql.SightlineExtensions")
      .getOrCreate()
  }
}
