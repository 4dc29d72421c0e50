package sightline.source

import java.io.IOException
import java.nio.file.AccessDeniedException

import scala.collection.immutable.ArraySeq

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileStatus, FileSystem, GlobPattern, Path}

import sightline.SightlineException

/**
 * A walk through folders.
 *
 * @param root the path, without scheme, that relative paths start from
 */
final private class ImageListing(
    fs: FileSystem,
    root: String,
    labels: FolderLabels,
    roots: AllowedRoots,
) {

  private val isLocal = fs.getUri.getScheme == "file"

  /** The file itself, or all files below the folder. */
  def from(status: FileStatus): Iterator[ImageFile] = {
    val path = status.getPath
    def above: ImageFolder = folder(Option(path.getParent).getOrElse(path))
    if (status.isDirectory) below(folder(path), above, path.getName)
    else {
      Iterator.single(
        ImageFile(above, path.getName, status.getLen, status.getModificationTime)
      )
    }
  }

  /** A folder that cannot be opened is an error row, not the end of the run. */
  private def below(folder: ImageFolder, above: ImageFolder, name: String): Iterator[ImageFile] =
    try {
      // A link may lead anywhere.
      refusal(folder).foreach(error =>
        throw new AccessDeniedException(folder.path, "", error.message)
      )
      entries(folder).flatMap {
        case FolderEntry.File(name, length, time) =>
          Iterator.single(ImageFile(folder, name, length, time))
        case FolderEntry.Folder(name) => below(inside(folder, name), folder, name)
      }
    } catch {
      case error: IOException =>
        Iterator.single(ImageFile(above, name, 0L, 0L, Some(ReadError.of(error, ReadError.List))))
    }

  private def refusal(folder: ImageFolder): Option[ReadError] =
    if (isLocal) roots.localRefusal(folder.path)
    else roots.refusal(new Path(folder.path), fs.getConf)

  private def entries(folder: ImageFolder): Iterator[FolderEntry] =
    if (isLocal) LocalFolder.entries(folder.path)
    else FolderEntry.remote(fs, new Path(folder.path))

  private def inside(folder: ImageFolder, name: String): ImageFolder = {
    val relative = s"${folder.relativePath}$name/"
    ImageFolder(s"${folder.path}$name/", relative, labels.label(relative, name))
  }

  private def folder(path: Path): ImageFolder = {
    val plain = path.toUri.getPath.stripSuffix("/") + "/"
    val rootFolder = root.stripSuffix("/") + "/"
    // The folder of a single file that was asked for lies above the root.
    val relative = if (plain.startsWith(rootFolder)) plain.stripPrefix(rootFolder) else ""
    val shown = if (path.toUri.getScheme == "file") plain else path.toString.stripSuffix("/") + "/"
    ImageFolder(shown, relative, labels.label(relative, path.getName))
  }
}

/** Lists the files of a folder, recursively, or of a glob; opens none of them. */
object ImageListing {

  /**
   * Every regular file, in the order of their paths. Names that start with `_` or `.` are passed
   * over, as Spark does; any other file is an image until its bytes say otherwise.
   *
   * @param location folder or glob, at any Hadoop URI
   * @param limit at most so many files
   * @param roots where they may be
   * @throws SightlineException PATH_NOT_FOUND or PATH_NOT_ALLOWED
   */
  def list(
      location: String,
      labels: FolderLabels,
      limit: Option[Int],
      hadoop: Configuration,
      roots: AllowedRoots = AllowedRoots(Nil),
  ): IndexedSeq[ImageFile] = {
    val exists = check(location, hadoop, roots)
    val path = new Path(location)
    val fs = path.getFileSystem(hadoop)
    val root = fs.makeQualified(if (exists) path else globRoot(path))
    val found = if (exists) Seq(fs.getFileStatus(path)) else matched(fs, path, root.toUri.getPath)
    // Alternatives of a glob may hold `..`: what it found is looked at again.
    found.foreach(status => roots.require(status.getPath.toString, hadoop))
    val walk = new ImageListing(fs, root.toUri.getPath, labels, roots)
    val files = found.sortBy(_.getPath).iterator.flatMap(walk.from)
    limit.fold(files)(files.take).to(ArraySeq)
  }

  /**
   * Makes sure that there is something to list, as far as one look tells.
   *
   * @return whether the location exists by that name; else it is a glob
   * @throws SightlineException PATH_NOT_FOUND or PATH_NOT_ALLOWED
   */
  def check(location: String, hadoop: Configuration, roots: AllowedRoots): Boolean = {
    roots.require(location, hadoop)
    val path = new Path(location)
    // A name such as `photos [2020]` is a glob only where there is no such folder.
    val exists = path.getFileSystem(hadoop).exists(path)
    if (!exists && !isGlob(location)) throw notFound(location)
    exists
  }

  private def matched(fs: FileSystem, glob: Path, root: String): Seq[FileStatus] =
    Option(fs.globStatus(glob)).toSeq.flatten.filterNot { status =>
      status.getPath.toUri.getPath.stripPrefix(root).split('/').exists(FolderEntry.isHidden)
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
    SightlineException(
      "PATH_NOT_FOUND",
      "path" -> location,
      "reason" -> "does not exist",
      "hint" -> "Give a folder, a glob, or a .csv or .parquet table.",
    )
}
