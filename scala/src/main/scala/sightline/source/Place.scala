package sightline.source

import java.nio.file.{Files, Path as LocalPath, Paths}

import scala.util.Try

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path

/**
 * Where a path leads, in the one form in which paths are compared.
 *
 * `..` is resolved, links of local files are followed as far as the path exists, no letter is
 * percent-encoded, and another scheme or host is another place.
 *
 * @param name `file:/data/photos` or `hdfs://host/data`, without a slash at its end
 */
final case class Place(name: String) {

  /** Whether it is `other` or lies below it. */
  def isIn(other: Place): Boolean = s"$name/".startsWith(s"${other.name}/")

  /** What is called `child` in it, where that is no link. */
  def child(child: String): Place = Place(s"$name/$child")

  override def toString: String = name
}

object Place {

  /** The place of any Hadoop path; None where nothing knows its scheme. */
  def of(path: Path, hadoop: Configuration): Option[Place] = Try {
    val uri = path.getFileSystem(hadoop).makeQualified(path).toUri
    if (uri.getScheme == "file") local(Paths.get(uri.getPath))
    else Place(uri.normalize.toString.stripSuffix("/"))
  }.toOption

  /** The place of this machine's own path; None for a name that Java cannot say. */
  def ofLocal(path: String): Option[Place] = Try(local(Paths.get(path))).toOption

  /** Links are followed as far as the path exists, so those before a glob's stars are. */
  private def local(path: LocalPath): Place = {
    val whole = path.toAbsolutePath
    // Not normalised before: x/.. is not x's parent where x is a link.
    val there = Iterator.iterate(whole)(_.getParent).dropWhile(p => !Files.exists(p)).next()
    val real = there.toRealPath().resolve(there.relativize(whole)).normalize
    Place(s"file:$real".stripSuffix("/"))
  }
}
