package sightline.source

import java.io.IOException
import java.nio.charset.StandardCharsets.US_ASCII
import java.nio.file.attribute.BasicFileAttributes
import java.nio.file.{
  DirectoryIteratorException,
  Files,
  InvalidPathException,
  Path as LocalPath,
  Paths,
}

import scala.jdk.CollectionConverters.*
import scala.util.Using

import sightline.SightlineException
import sightline.source.FileFilter.isHidden

/** Lists folders of this machine: Hadoop would need a few kilobytes and ten system calls for a file. */
private[source] object LocalFolder {

  /**
   * The contents of a folder, sorted by name. The attributes of a file are read when the iterator
   * reaches it.
   *
   * A dangling link is listed as a file of 0 bytes, so that reading it gives its error. Pipes and
   * devices are skipped, because reading them may never end.
   *
   * @param folder ends with `/`
   * @throws IOException if the folder cannot be listed
   * @throws SightlineException LOCALE_NOT_UTF8 if Java cannot represent a name in this locale
   */
  def contents(folder: String): FolderContents = {
    val names = namesIn(folder)
    java.util.Arrays.sort(names, Ordering.String)
    FolderContents(
      names.iterator.filterNot(isHidden).flatMap(entry(folder, _)),
      names,
      name => Files.readString(Paths.get(folder, name)),
    )
  }

  /** The real path of a folder, with all links resolved and without a slash at the end. */
  def real(folder: String): String = Paths.get(folder).toRealPath().toString

  private def namesIn(folder: String): Array[String] =
    try {
      Using.resource(Files.newDirectoryStream(Paths.get(folder))) {
        _.iterator.asScala.map(_.getFileName.toString).toArray
      }
    } catch { case error: DirectoryIteratorException => throw error.getCause }

  private def entry(folder: String, name: String): Option[FolderEntry] = {
    val path = localPath(folder, name)
    try {
      val status = Files.readAttributes(path, classOf[BasicFileAttributes])
      if (status.isRegularFile) {
        Some(FolderEntry.File(name, status.size, status.lastModifiedTime.toMillis))
      } else
        Option.when(status.isDirectory)(FolderEntry.Folder(name, Files.isSymbolicLink(path)))
    } catch {
      // It becomes an error row NOT_FOUND; without it the file would be missing from the result.
      case _: IOException => Some(FolderEntry.File(name, 0L, 0L))
    }
  }

  private def localPath(folder: String, name: String): LocalPath =
    try Paths.get(folder + name)
    catch {
      // Java cannot open a file whose name it decoded with replacement characters.
      case _: InvalidPathException =>
        throw SightlineException(
          "LOCALE_NOT_UTF8",
          "folder" -> folder.stripSuffix("/"),
          "encoding" -> sys.props.getOrElse("sun.jnu.encoding", US_ASCII.name),
        )
    }
}
