package sightline.source

import java.nio.file.{Files, Paths}

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
    val root = fs.makeQualified(globRoot(path))
    val matched = Option(fs.globStatus(path)).map(_.toSeq).getOrElse(Nil)
    if (matched.isEmpty && !isGlob(location)) throw notFound(location)
    val files = matched.sortBy(_.getPath).iterator.flatMap(walk(fs, _))
    limit
      .fold(files)(files.take)
      .map(toImageFile(_, root.toUri.getPath, labels))
      .toIndexedSeq
  }

  private def walk(fs: FileSystem, status: FileStatus): Iterator[FileStatus] =
    if (leadsUp(status.getPath)) Iterator.empty
    else if (status.isDirectory) {
      fs.listStatus(status.getPath)
        .sortBy(_.getPath.getName)
        .iterator
        .filterNot(child => isHidden(child.getPath.getName))
        .flatMap(walk(fs, _))
    } else Iterator.single(status)

  /** Whether this is a local link to a folder that it lies in: following it would never end. */
  private def leadsUp(path: Path): Boolean =
    path.toUri.getScheme == "file" && {
      val local = Paths.get(path.toUri.getPath)
      Files.isSymbolicLink(local) && Files.isDirectory(local) &&
      local.toAbsolutePath.getParent.toRealPath().startsWith(local.toRealPath())
    }

  private def isHidden(name: String): Boolean = name.startsWith("_") || name.startsWith(".")

  private def toImageFile(status: FileStatus, root: String, labels: FolderLabels): ImageFile = {
    val path = status.getPath
    val full = path.toUri.getPath
    val relative =
      if (full == root) path.getName else full.stripPrefix(root.stripSuffix("/") + "/")
    ImageFile(
      path = if (path.toUri.getScheme == "file") full else path.toString,
      relativePath = relative,
      length = status.getLen,
      modificationTime = status.getModificationTime,
      label = labels.label(relative, path.getParent.getName),
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
