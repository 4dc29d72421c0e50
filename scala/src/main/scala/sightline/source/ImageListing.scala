package sightline.source

import java.io.IOException
import java.nio.file.AccessDeniedException

import scala.collection.immutable.ArraySeq
import scala.collection.mutable

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileStatus, FileSystem, GlobPattern, Path}

import sightline.{LocalFiles, ObjectStore, SightlineException}

/**
 * Walks through folders.
 *
 * @param root the path, without scheme, that relative paths start from
 */
final private class ImageListing(
    fs: FileSystem,
    root: String,
    labels: FolderLabels,
    filter: FileFilter,
    roots: AllowedRoots,
    isFlat: Boolean,
) {

  private val isLocal = LocalFiles.isLocal(fs)
  private val links = new FollowedLinks
  private val leftOut = mutable.Map.empty[String, Long].withDefaultValue(0L)
  private val outputs = mutable.Buffer.empty[String]

  /**
   * The files of a glob, or of one folder or file, sorted by path.
   *
   * @param isNamed whether the user named the folder or file; false for matches of a glob
   */
  def of(found: Seq[FileStatus], isNamed: Boolean, limit: Option[Int]): ListedImages = {
    val distinct = once(found)
    val files = distinct.sortBy(_.getPath).iterator.flatMap(from(_, isNamed))
    val listed = limit.fold(files)(files.take).to(ArraySeq)
    ListedImages(listed, leftOut.toMap, outputs.toSeq)
  }

  /** Removes entries in folders that are also in `found`, directly or by a link. */
  private def once(found: Seq[FileStatus]): Seq[FileStatus] = {
    val (folders, files) = found.partition(_.isDirectory)
    if (!isLocal) found
    else {
      // Real folders before links to them, and folders before their subfolders.
      val ordered = folders
        .map(status => (status, real(local(status))))
        .sortBy { case (status, at) => (at != local(status), at) }
      val kept = ordered.filter { case (_, at) =>
        val isNew = !links.covers(at)
        if (isNew) links.begin(at)
        isNew
      }
      val parents = mutable.Map.empty[String, Boolean]
      def isListed(file: FileStatus): Boolean = {
        val parent = local(file).stripSuffix(file.getPath.getName)
        parents.getOrElseUpdate(parent, links.covers(real(parent)))
      }
      kept.map(_._1) ++ (if (kept.isEmpty) files else files.filterNot(isListed))
    }
  }

  private def local(status: FileStatus): String = status.getPath.toUri.getPath

  // A folder that is gone or not accessible gives an error later, when it is opened.
  private def real(folder: String): String =
    try LocalFolder.real(folder)
    catch { case _: IOException => folder.stripSuffix("/") }

  /** The file itself, or all files below the folder. */
  private def from(status: FileStatus, isNamed: Boolean): Iterator[ImageFile] = {
    val path = status.getPath
    def above: ImageFolder = folder(Option(path.getParent).getOrElse(path))
    if (status.isDirectory) {
      val there = if (isLocal) real(local(status)) else ""
      val walked = Walked(folder(path), above, path.getName, there, isNamed)
      listing(walked)(flat => below(walked, flat))
    } else {
      taken(
        ImageFile(above, path.getName, status.getLen, status.getModificationTime),
        isFound = false,
      )
    }
  }

  /**
   * A folder that the walk has reached.
   *
   * @param real the real path of a local folder; empty for others
   * @param isNamed whether the user named the folder; false if a glob or another folder contains it
   * @param isAway whether the walk reached the folder by a link
   */
  private case class Walked(
      folder: ImageFolder,
      above: ImageFolder,
      name: String,
      real: String,
      isNamed: Boolean,
      isAway: Boolean = false,
  )

  /** Calls `use` with one listing of all folders below `walked`; None if each is listed for itself. */
  private def listing(walked: Walked)(
      use: Option[FlatListing] => Iterator[ImageFile]
  ): Iterator[ImageFile] =
    orErrorRow(walked) {
      require(walked)
      use(if (isFlat) FlatListing.of(fs, new Path(walked.folder.path)) else None)
    }

  /** The files of a folder; an error row if the folder cannot be opened. */
  private def below(walked: Walked, flat: Option[FlatListing]): Iterator[ImageFile] =
    orErrorRow(walked) {
      require(walked)
      val contents =
        if (isLocal) LocalFolder.contents(walked.folder.path)
        else {
          val path = new Path(walked.folder.path)
          flat.fold(FolderEntry.remote(fs, path))(_.contents(path))
        }
      if (!walked.isNamed && contents.isOutput) skip(walked.folder.path)
      else {
        contents.entries.flatMap {
          case FolderEntry.File(name, length, time) =>
            taken(ImageFile(walked.folder, name, length, time), isFound = true)
          case FolderEntry.Folder(name, _) if contents.isUnfinished(name) =>
            skip(walked.folder.path + name)
          case FolderEntry.Folder(name, isLink) if filter.depth == FileFilter.Depth.All =>
            next(walked, name, isLink).iterator.flatMap(below(_, flat))
          case FolderEntry.Folder(_, _) => Iterator.empty
        }
      }
    }

  // The target of a link may be outside the allowed roots.
  private def require(walked: Walked): Unit = refusal(walked.folder).foreach { error =>
    throw new AccessDeniedException(walked.folder.path, "", error.message)
  }

  private def orErrorRow(walked: Walked)(files: => Iterator[ImageFile]): Iterator[ImageFile] =
    try files
    catch {
      case error: IOException =>
        val unlisted = ReadError.of(error, ReadError.List)
        Iterator.single(ImageFile(walked.above, walked.name, 0L, 0L, Some(unlisted)))
    }

  /** A subfolder; None if it is listed elsewhere. */
  private def next(walked: Walked, name: String, isLink: Boolean): Option[Walked] = {
    val found = inside(walked.folder, name)
    lazy val there = if (isLink) real(found.path) else s"${walked.real}/$name"
    val isNew =
      if (!isLocal) true
      else if (isLink) links.follow(walked.real, there)
      else !walked.isAway || !links.begun(there)
    Option.when(isNew) {
      Walked(
        found,
        walked.folder,
        name,
        if (isLocal) there else "",
        isNamed = false,
        isAway = walked.isAway || isLink,
      )
    }
  }

  private def taken(file: ImageFile, isFound: Boolean): Iterator[ImageFile] =
    if (filter.takes(file, isFound)) Iterator.single(file)
    else {
      val ending = FileFilter.ending(file.name)
      val key = if (leftOut.size < ImageListing.Endings) ending else "…"
      leftOut(key) += 1
      Iterator.empty
    }

  private def skip(folder: String): Iterator[ImageFile] = {
    outputs += folder.stripSuffix("/")
    Iterator.empty
  }

  private def refusal(folder: ImageFolder): Option[ReadError] =
    if (isLocal) roots.localRefusal(folder.path)
    else roots.refusal(new Path(folder.path), fs.getConf)

  private def inside(folder: ImageFolder, name: String): ImageFolder = {
    val relative = s"${folder.relativePath}$name/"
    ImageFolder(s"${folder.path}$name/", relative, labels.label(relative, name))
  }

  private def folder(path: Path): ImageFolder = {
    val plain = path.toUri.getPath.stripSuffix("/") + "/"
    val rootFolder = root.stripSuffix("/") + "/"
    // The folder of a file that the user named is above the root.
    val relative = if (plain.startsWith(rootFolder)) plain.stripPrefix(rootFolder) else ""
    val shown = LocalFiles.shown(path).stripSuffix("/") + "/"
    ImageFolder(shown, relative, labels.label(relative, path.getName))
  }
}

/** Lists the files of a folder, recursively, or of a glob; opens none of them. */
object ImageListing {

  /** The maximum number of endings whose files are counted separately. */
  private val Endings = 1000

  /**
   * Every regular file that the filter takes, sorted by path.
   *
   * The listing skips names that start with `_` or `.`, as Spark does, and outputs of runs. It lists a
   * folder once, however many links refer to it: see [[FollowedLinks]].
   *
   * @param location folder or glob, at any Hadoop URI
   * @param limit the maximum number of files; None: no limit
   * @param roots the folders that the files must be in
   * @throws SightlineException PATH_NOT_FOUND, also for a glob that matches nothing,
   *   BUCKET_NOT_FOUND or PATH_NOT_ALLOWED
   */
  def list(
      location: String,
      labels: FolderLabels,
      limit: Option[Int],
      filter: FileFilter,
      hadoop: Configuration,
      roots: AllowedRoots = AllowedRoots(Nil),
  ): ListedImages = {
    val exists = check(location, hadoop, roots)
    val path = new Path(location)
    val fs = path.getFileSystem(hadoop)
    val root = fs.makeQualified(if (exists) path else globRoot(path))
    val found = if (exists) Seq(fs.getFileStatus(path)) else matched(fs, path, root.toUri.getPath)
    if (found.isEmpty) throw absent(location, "matches nothing")
    // A glob such as {a,../b} may match files outside the allowed roots.
    found.foreach(status => roots.require(status.getPath.toString, hadoop))
    // A walk through the folders ends at the limit; one listing of all objects does not.
    val isFlat = ObjectStore.is(fs) && limit.isEmpty && filter.depth == FileFilter.Depth.All
    new ImageListing(fs, root.toUri.getPath, labels, filter, roots, isFlat).of(found, exists, limit)
  }

  /**
   * Checks that the location exists or is a glob; lists nothing.
   *
   * @return whether the location exists; false for a glob
   * @throws SightlineException PATH_NOT_FOUND or PATH_NOT_ALLOWED
   */
  def check(location: String, hadoop: Configuration, roots: AllowedRoots): Boolean = {
    roots.require(location, hadoop)
    val path = new Path(location)
    // `photos [2020]` is a glob only if there is no folder of that name.
    val exists = path.getFileSystem(hadoop).exists(path)
    if (!exists && !isGlob(location)) {
      ObjectStore.requireBucket(path.getFileSystem(hadoop), path)
      throw notFound(location)
    }
    exists
  }

  private def matched(fs: FileSystem, glob: Path, root: String): Seq[FileStatus] =
    Option(fs.globStatus(glob)).toSeq.flatten.filterNot { status =>
      status.getPath.toUri.getPath.stripPrefix(root).split('/').exists(FileFilter.isHidden)
    }

  /** The parent of the first part of `path` that has a wildcard; `path` if none has. */
  private def globRoot(path: Path): Path = {
    val ancestors = Iterator.iterate(path)(_.getParent).takeWhile(Option(_).isDefined).toSeq
    ancestors.reverse
      .zip(ancestors.reverse.drop(1))
      .collectFirst { case (parent, child) if isGlob(child.getName) => parent }
      .getOrElse(path)
  }

  private def isGlob(text: String): Boolean = new GlobPattern(text).hasWildcard

  private def notFound(location: String): SightlineException =
    absent(location, "does not exist")

  private def absent(location: String, reason: String): SightlineException =
    SightlineException(
      "PATH_NOT_FOUND",
      "path" -> location,
      "reason" -> reason,
      "hint" -> "Give a folder, a glob, or a .csv or .parquet table.",
    )
}
