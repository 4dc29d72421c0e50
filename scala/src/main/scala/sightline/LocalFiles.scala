package sightline

import java.nio.file.{Path as LocalPath, Paths}

import org.apache.hadoop.fs.{FileSystem, Path}

/** Hadoop's paths of this machine's own file system. */
object LocalFiles {

  /** The scheme of local URIs. */
  val Scheme = "file"

  def isLocal(fs: FileSystem): Boolean = fs.getUri.getScheme == Scheme

  /**
   * The path for Java's file API; None for a path of another file system.
   *
   * @param path fully qualified
   */
  def of(path: Path): Option[LocalPath] =
    Option.when(path.toUri.getScheme == Scheme)(Paths.get(path.toUri.getPath))

  /**
   * The path for messages and columns: without its scheme if it is local.
   *
   * @param path fully qualified
   */
  def shown(path: Path): String =
    if (path.toUri.getScheme == Scheme) path.toUri.getPath else path.toString
}
