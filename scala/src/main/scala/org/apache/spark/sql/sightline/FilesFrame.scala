package org.apache.spark.sql.sightline

import org.apache.hadoop.fs.FileStatus
import org.apache.spark.sql.classic.ClassicConversions.castToImpl
import org.apache.spark.sql.classic.Dataset
import org.apache.spark.sql.execution.datasources.{HadoopFsRelation, LogicalRelation}
import org.apache.spark.sql.{DataFrame, SparkSession}

/** Frames over files with separate settings; in Spark such settings apply to a whole session. */
object FilesFrame {

  /**
   * A frame that runs in `spark`. Spark takes the settings of files from the session that created the
   * frame, which is another one here.
   *
   * @param settings settings such as `spark.sql.files.*`; the user's own settings override them
   * @param read creates the frame in the session that it gets
   */
  def apply(spark: SparkSession, settings: Map[String, String])(
      read: SparkSession => DataFrame
  ): DataFrame =
    Dataset.ofRows(
      castToImpl(spark),
      castToImpl(inReader(spark, settings)(read)).logicalPlan,
    )

  /** The files that a frame reads. Spark skips empty files and those that it takes for metadata. */
  def files(frame: DataFrame): Seq[FileStatus] =
    castToImpl(frame).logicalPlan
      .collect { case relation: LogicalRelation => relation.relation }
      .collect { case relation: HadoopFsRelation => relation.location.listFiles(Nil, Nil) }
      .flatten
      .flatMap(_.files.map(_.fileStatus))

  /** Calls `use` with a new session that has the settings. */
  def inReader[A](spark: SparkSession, settings: Map[String, String])(use: SparkSession => A): A = {
    val reader = castToImpl(spark).newSession()
    (settings ++ spark.conf.getAll).foreach { case (key, value) =>
      reader.sessionState.conf.setConfString(key, value)
    }
    use(reader)
  }
}
