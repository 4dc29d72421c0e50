package org.apache.spark.sql.sightline

import org.apache.spark.sql.classic.ClassicConversions.castToImpl
import org.apache.spark.sql.classic.Dataset
import org.apache.spark.sql.{DataFrame, SparkSession}

/** A frame over files that are split as it says, where Spark has one way for a whole session. */
object FilesFrame {

  /**
   * The frame runs in `spark`; Spark asks the session that made it how to split the files.
   *
   * @param settings of `spark.sql.files.*` and the like; what the user has set himself stays
   * @param read makes the frame in the session that it is handed
   */
  def apply(spark: SparkSession, settings: Map[String, String])(
      read: SparkSession => DataFrame
  ): DataFrame =
    Dataset.ofRows(
      castToImpl(spark),
      castToImpl(inReader(spark, settings)(read)).logicalPlan,
    )

  /** Anything else that hangs on such settings. */
  def inReader[A](spark: SparkSession, settings: Map[String, String])(use: SparkSession => A): A = {
    val reader = castToImpl(spark).newSession()
    (settings ++ spark.conf.getAll).foreach { case (key, value) =>
      reader.sessionState.conf.setConfString(key, value)
    }
    use(reader)
  }
}
