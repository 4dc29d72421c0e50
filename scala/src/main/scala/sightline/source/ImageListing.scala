package sightline.source

import java.io.IOException

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileStatus, FileSystem, GlobPattern, Path}

import sightline.SightlineException

/** Lists the files of a folder, recursively, or of a glob; opens none of them. */
object ImageListing {

  /**
   * Every regular file, in the order of their paths. Names that start with `_` or `.` are passed
   * over, as Spark does; any other file is an image until its bytes say otherwise.
   *
   * @param location folder or glob, at any Hadoop URI
   * @param limit at most so many files
   * @throws SightlineException PATH_NOT_FOUND
   */
  def list(
      location: String,
      labels: FolderLabels,
      limit: Option[Int],
      hadoop: Configuration,
  ): IndexedSeq[ImageFile] = {
    val path = new Path(location)
    val fs = path.getFileSystem(hadoop)
    // A name such as `photos [2020]` is a glob only where there is no such folder.
    val exists = fs.exists(path)
    if (!exists && !isGlob(location)) throw notFound(location)
    val root = fs.makeQualified(if (exists) path else globRoot(path)).toUri.getPath
    val found = if (exists) Seq(fs.getFileStatus(path)) else matched(fs, path, root)
    val files = found.sortBy(_.getPath).iterator.flatMap(walk(fs, _))
    limit
      .fold(files)(files.take)
      .map { case (status, error) => toImageFile(status, error, root, labels) }
      .toIndexedSeq
  }

  private def matched(fs: FileSystem, glob: Path, root: String): Seq[FileStatus] =
    Option(fs.globStatus(glob)).toSeq.flatten.filterNot { status =>
      status.getPath.toUri.getPath.stripPrefix(root).split('/').exists(isHidden)
    }

  private def walk(fs: FileSystem, status: FileStatus): Iterator[(FileStatus, Option[ReadError])] =
    if (status.isDirectory) {
      children(fs, status.getPath) match {
        case Right(found) => found.iterator.flatMap(walk(fs, _))
        case Left(error) => Iterator.single((status, Some(error)))
      }
    } else Iterator.single((status, None))

  /** What a folder holds; one that cannot be opened is an error row, not the end of the run. */
  private def children(fs: FileSystem, folder: Path): Either[ReadError, Seq[FileStatus]] =
    try {
      val listed = LocalLinks.corrected(folder, fs.listStatus(folder).toSeq)
      Right(listed.filterNot(child => isHidden(child.getPath.getName)).sortBy(_.getPath.getName))
    } catch {
      case error: IOException => Left(ReadError.of(error, ReadError.List))
    }

  private def isHidden(name: String): Boolean = name.startsWith("_") || name.startsWith(".")

  private def toImageFile(
      status: FileStatus,
      error: Option[ReadError],
      root: String,
      labels: FolderLabels,
  ): ImageFile = {
    val path = status.getPath
    val full = path.toUri.getPath
    val relative =
      if (full == root) path.getName else full.stripPrefix(root.stripSuffix("/") + "/")
    ImageFile(
      path = if (path.toUri.getScheme == "file") full else path.toString,
      relativePath = relative,
      length = if (error.isDefined) 0L else status.getLen,
      modificationTime = status.getModificationTime,
      label = labels.label(relative, path.getParent.getName),
      error = error,
    )
  }

  /** The folder above the first part of `path` that holds a wildcard; a plain path is its own. */
  private def globRoot(path: Path): Path = {
    val ancestors = Iterator.iterate(path)(_.getParent).takeWhile(Option(_).isDefined).toSeq
    ancestors.reverse
      .zip(ancestors.reverse.drop(1))
      .collectFirst { case (parent, child) if isGlob(child.getName) => parent }
      .getOrElse(path)
  }

  private def isGlob(text: String): Boolean = new GlobPattern(text).hasWildcard

  private def notFound(location: String): SightlineException =
    SightlineException.wrongUse(
      "PATH_NOT_FOUND",
      s"$location does not exist. Give a folder, a glob, or a .csv or .parquet table.",
    )
}
