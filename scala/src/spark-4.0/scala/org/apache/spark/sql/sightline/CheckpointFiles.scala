package org.apache.spark.sql.sightline

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.execution.streaming.CheckpointFileManager

/** The files of streaming queries, whose class Spark 4.1 moved to another package. */
private[sightline] object CheckpointFiles {

  def apply(folder: Path, hadoop: Configuration): CheckpointFileManager =
    CheckpointFileManager.create(folder, hadoop)
}
