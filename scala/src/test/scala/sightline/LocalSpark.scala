package sightline

import org.apache.spark.sql.SparkSession

/** Spark on two slots of this machine, the same session for every suite of a run. */
trait LocalSpark {

  /** Started anew if a command under test has stopped it. */
  def spark: SparkSession = LocalSpark.session()
}

object LocalSpark {

  // Also what commands under test find when they start a session of their own.
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
