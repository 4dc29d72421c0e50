package sightline.source

import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession

import sightline.{ObjectStore, SightlineException}

/** Checks that the paths that a user gives exist. */
object ExistingPath {

  /**
   * Checks that a file or folder exists, and is not an output that is not complete.
   *
   * @param location a path or URI
   * @param hint a sentence for the error, which states what to give instead
   * @throws SightlineException PATH_NOT_FOUND if the path does not exist; BUCKET_NOT_FOUND or OUTPUT_INCOMPLETE
   *   in an object store
   */
  def require(spark: SparkSession, location: String, hint: String): Unit = {
    val path = new Path(location)
    val fs = path.getFileSystem(spark.sessionState.newHadoopConf())
    if (fs.exists(path)) UnfinishedOutput.refuse(fs, path)
    else {
      ObjectStore.requireBucket(fs, path)
      throw SightlineException(
        "PATH_NOT_FOUND",
        "path" -> location,
        "reason" -> "does not exist",
        "hint" -> hint,
      )
    }
  }
}
