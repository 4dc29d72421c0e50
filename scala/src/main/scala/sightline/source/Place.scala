package sightline.source

import java.nio.file.{Files, Path as LocalPath, Paths}

import scala.util.Try

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path

import sightline.LocalFiles

/**
 * The location of a path in canonical form, for comparisons.
 *
 * `..` and the links of local files are resolved as far as the path exists, and no character is
 * percent-encoded. Paths of different schemes or hosts are different places.
 *
 * @param name `file:/data/photos` or `hdfs://host/data`, without a slash at its end
 */
final case class Place(name: String) {

  /** Whether the place is `other` or inside it. */
  def isIn(other: Place): Boolean = s"$name/".startsWith(s"${other.name}/")

  /** The place of the entry `child`, which must not be a link. */
  def child(child: String): Place = Place(s"$name/$child")

  override def toString: String = name
}

object Place {

  /** The place of any Hadoop path; None if no file system has its scheme. */
  def of(path: Path, hadoop: Configuration): Option[Place] = Try {
    val qualified = path.getFileSystem(hadoop).makeQualified(path)
    LocalFiles
      .of(qualified)
      .fold(Place(qualified.toUri.normalize.toString.stripSuffix("/")))(local)
  }.toOption

  /** The place of a path of this machine; None for a name that Java cannot represent. */
  def ofLocal(path: String): Option[Place] = Try(local(Paths.get(path))).toOption

  /** Resolves links as far as the path exists, so also those before the wildcards of a glob. */
  private def local(path: LocalPath): Place = {
    val whole = path.toAbsolutePath
    // Not normalised before: if x is a link, x/.. is not the parent of x.
    val there = Iterator.iterate(whole)(_.getParent).dropWhile(p => !Files.exists(p)).next()
    val real = there.toRealPath().resolve(there.relativize(whole)).normalize
    Place(s"${LocalFiles.Scheme}:$real".stripSuffix("/"))
  }
}
