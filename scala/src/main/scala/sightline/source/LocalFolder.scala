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
import sightline.source.FolderEntry.isHidden

/** Folders of this machine, which Hadoop lists with a few kilobytes and ten calls a file. */
private[source] object LocalFolder {

  /**
   * What the folder holds, in the order of names. A name is looked at when the iterator comes to it.
   *
   * Dangling links and names that Java cannot say are files of no bytes: reading them tells what is
   * wrong. Pipes and devices, which may never be read, are passed over.
   *
   * @param folder ends with `/`
   * @throws IOException when it cannot be listed
   * @throws SightlineException LOCALE_NOT_UTF8 when Java cannot say the names of files here
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

  /** Where a folder really is, without a slash at the end, however links lead to it. */
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
      // It becomes a row that is NOT_FOUND: a file that nobody told of would be lost.
      case _: IOException => Some(FolderEntry.File(name, 0L, 0L))
    }
  }

  private def localPath(folder: String, name: String): LocalPath =
    try Paths.get(folder + name)
    catch {
      // Java hands over such a name as it cannot be given back: the file could never be read.
      case _: InvalidPathException =>
        throw SightlineException(
          "LOCALE_NOT_UTF8",
          "folder" -> folder.stripSuffix("/"),
          "encoding" -> sys.props.getOrElse("sun.jnu.encoding", US_ASCII.name),
        )
    }
}
