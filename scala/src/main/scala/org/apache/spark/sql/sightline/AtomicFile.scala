package org.apache.spark.sql.sightline

import java.nio.charset.StandardCharsets.UTF_8

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileAlreadyExistsException, Path}

/** Writes a small file atomically, with the class that Spark's streaming queries use for batch logs. */
object AtomicFile {

  /**
   * Writes the file if it does not exist.
   *
   * @return whether this call wrote it
   */
  def write(path: Path, text: String, hadoop: Configuration): Boolean = {
    val manager = CheckpointFiles(path.getParent, hadoop)
    if (manager.exists(path)) false
    else {
      val out = manager.createAtomic(path, overwriteIfPossible = false)
      try {
        out.write(text.getBytes(UTF_8))
        out.close()
        true
      } catch {
        case _: FileAlreadyExistsException => false
        case error: Throwable =>
          out.cancel()
          throw error
      }
    }
  }
}
