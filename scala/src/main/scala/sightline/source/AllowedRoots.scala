package sightline.source

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession

import sightline.SightlineException

/**
 * The places that paths in SQL may name; empty: every place that the process may read.
 *
 * A path is taken for the [[Place]] that it leads to.
 *
 * @param roots folders or URIs
 */
final case class AllowedRoots(roots: Seq[Place]) {

  /** Why `path` may not be read, if it may not. */
  def refusal(path: Path, hadoop: Configuration): Option[ReadError] =
    refused(Place.of(path, hadoop))

  /** The same for a path of this machine's own files, whatever the default file system is. */
  def localRefusal(path: String): Option[ReadError] =
    refused(Place.ofLocal(path))

  private def refused(place: => Option[Place]): Option[ReadError] =
    Option.when(roots.nonEmpty && !place.exists(at => roots.exists(at.isIn))) {
      ReadError(ErrorCode.Denied, s"it is outside ${AllowedRoots.Setting}")
    }

  /** @throws SightlineException PATH_NOT_ALLOWED */
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

  /** Folders and URIs with commas between. A setting of the application: no session can change it. */
  val Setting = "spark.sightline.allowedRoots"

  def of(spark: SparkSession): AllowedRoots =
    // A session's own settings must not change what the roots mean.
    parse(spark.sparkContext.getConf.get(Setting, ""), spark.sparkContext.hadoopConfiguration)

  /** @throws SightlineException INVALID_OPTION for a root that no file system knows */
  def parse(setting: String, hadoop: Configuration): AllowedRoots =
    AllowedRoots(setting.split(",").toSeq.map(_.trim).filter(_.nonEmpty).map { root =>
      Place.of(new Path(root), hadoop).getOrElse {
        throw SightlineException(
          "INVALID_OPTION",
          "option" -> Setting,
          "value" -> setting,
          "reason" -> s"No file system here knows '$root'.",
        )
      }
    })
}
