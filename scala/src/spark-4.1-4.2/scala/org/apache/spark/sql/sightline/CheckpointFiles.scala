package org.apache.spark.sql.sightline

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.execution.streaming.checkpointing.CheckpointFileManager

/** The files of streaming queries. */
private[sightline] object CheckpointFiles {

  def apply(folder: Path, hadoop: Configuration): CheckpointFileManager =
    CheckpointFileManager.create(folder, hadoop)
}
