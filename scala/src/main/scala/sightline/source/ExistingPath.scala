package sightline.source

import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession

import sightline.SightlineException

/** Checks that the paths that a user gives exist. */
object ExistingPath {

  /**
   * Checks that a file or folder exists.
   *
   * @param location a path or URI
   * @param hint a sentence for the error, which states what to give instead
   * @throws SightlineException PATH_NOT_FOUND if the path does not exist
   */
  def require(spark: SparkSession, location: String, hint: String): Unit = {
    val path = new Path(location)
    if (!path.getFileSystem(spark.sessionState.newHadoopConf()).exists(path)) {
      throw SightlineException(
        "PATH_NOT_FOUND",
        "path" -> location,
        "reason" -> "does not exist",
        "hint" -> hint,
      )
    }
  }
}
