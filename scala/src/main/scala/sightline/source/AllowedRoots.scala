package sightline.source

import java.nio.file.{Files, Path as LocalPath, Paths}

import scala.util.Try

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession

import sightline.SightlineException

/**
 * The places that paths in SQL may name; empty: every place that the process may read.
 *
 * A path is taken for what it leads to: `..` is resolved, links of local files are followed, and
 * another scheme or host is another place.
 *
 * @param roots folders or URIs, each in its one form, with a slash at the end
 */
final case class AllowedRoots(roots: Seq[String]) {

  /** Why `path` may not be read, if it may not. */
  def refusal(path: Path, hadoop: Configuration): Option[ReadError] =
    refused(AllowedRoots.place(path, hadoop))

  /** The same for a path of this machine's own files, whatever the default file system is. */
  def localRefusal(path: String): Option[ReadError] =
    refused(Try(AllowedRoots.place(Paths.get(path))).toOption)

  private def refused(place: => Option[String]): Option[ReadError] =
    Option.when(roots.nonEmpty && !place.exists(at => roots.exists(s"$at/".startsWith))) {
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
      place(new Path(root), hadoop).map(at => s"${at.stripSuffix("/")}/").getOrElse {
        throw SightlineException(
          "INVALID_OPTION",
          "option" -> Setting,
          "value" -> setting,
          "reason" -> s"No file system here knows '$root'.",
        )
      }
    })

  /** The one form of a path, without a slash at the end; None where nothing knows its scheme. */
  private def place(path: Path, hadoop: Configuration): Option[String] = Try {
    val uri = path.getFileSystem(hadoop).makeQualified(path).toUri
    if (uri.getScheme == "file") place(Paths.get(uri.getPath))
    else uri.normalize.toString.stripSuffix("/")
  }.toOption

  /** Links are followed as far as the path exists; a glob's stars do not. */
  private def place(path: LocalPath): String = {
    val whole = path.toAbsolutePath
    // Not normalised before: x/.. is not x's parent where x is a link.
    val there = Iterator.iterate(whole)(_.getParent).dropWhile(p => !Files.exists(p)).next()
    val real = there.toRealPath().resolve(there.relativize(whole)).normalize
    s"file:$real".stripSuffix("/")
  }
}
