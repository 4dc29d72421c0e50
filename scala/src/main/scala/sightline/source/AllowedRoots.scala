package sightline.source

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession

import sightline.{OptionValue, SightlineException}

/**
 * The folders that contain the files that SQL may read. Without roots SQL may read every file that
 * the process may read.
 *
 * Paths are compared as [[Place]]s, so a link out of the roots gives no access.
 */
final case class AllowedRoots(roots: Seq[Place]) {

  /** The error DENIED if `path` is outside the roots. */
  def refusal(path: Path, hadoop: Configuration): Option[ReadError] =
    refused(Place.of(path, hadoop))

  /** Like [[refusal]], for a path of this machine, whatever the default file system is. */
  def localRefusal(path: String): Option[ReadError] =
    refused(Place.ofLocal(path))

  private def refused(place: => Option[Place]): Option[ReadError] =
    Option.when(roots.nonEmpty && !place.exists(at => roots.exists(at.isIn))) {
      ReadError(ErrorCode.Denied, s"it is outside ${AllowedRoots.Setting}")
    }

  /** @throws SightlineException PATH_NOT_ALLOWED if `location` is outside the roots */
  def require(location: String, hadoop: Configuration): Unit =
    refusal(new Path(location), hadoop).foreach { error =>
      throw SightlineException(
        "PATH_NOT_ALLOWED",
        "path" -> location,
        "reason" -> error.message,
        "roots" -> roots,
      )
    }
}

object AllowedRoots {

  /** Folders and URIs, separated by commas. Only the application can set it, not a session. */
  val Setting = "spark.sightline.allowedRoots"

  /**
   * The roots of the application.
   *
   * @throws SightlineException INVALID_OPTION
   */
  def of(spark: SparkSession): AllowedRoots =
    // Hadoop settings of a session must not change the places that the roots refer to.
    parse(spark.sparkContext.getConf.get(Setting, ""), spark.sparkContext.hadoopConfiguration)

  /** @throws SightlineException INVALID_OPTION for a root whose scheme has no file system */
  def parse(setting: String, hadoop: Configuration): AllowedRoots =
    AllowedRoots(setting.split(",").toSeq.map(_.trim).filter(_.nonEmpty).map { root =>
      Place.of(new Path(root), hadoop).getOrElse {
        throw OptionValue.invalid(Setting, setting, s"No file system here knows '$root'.")
      }
    })
}
