package sightline.source

import java.nio.charset.StandardCharsets.UTF_8

import scala.jdk.CollectionConverters.*
import scala.util.Using

import org.apache.hadoop.fs.{FileStatus, FileSystem, Path}
import org.apache.hadoop.util.functional.RemoteIterators

/** A file or folder in a listing. */
sealed private[source] trait FolderEntry {
  def name: String
}

private[source] object FolderEntry {

  /**
   * @param length in bytes
   * @param modificationTime in milliseconds since 1970
   */
  final case class File(name: String, length: Long, modificationTime: Long) extends FolderEntry

  /** @param isLink whether it is a symbolic link of the local file system */
  final case class Folder(name: String, isLink: Boolean = false) extends FolderEntry

  /**
   * Lists a folder at any URI. Each page of the listing is converted before the next one is fetched,
   * which saves memory.
   *
   * @throws java.io.IOException when it cannot be listed
   */
  def remote(fs: FileSystem, folder: Path): FolderContents = {
    val all = RemoteIterators
      .toList(RemoteIterators.mappingRemoteIterator(fs.listStatusIterator(folder), entry))
      .asScala
      .toArray
    val names = all.map(_.name)
    def read(name: String): String =
      Using.resource(fs.open(new Path(folder, name)))(in => new String(in.readAllBytes(), UTF_8))
    FolderContents(
      all.filterNot(entry => FileFilter.isHidden(entry.name)).sortBy(_.name).iterator,
      names,
      read,
    )
  }

  private def entry(status: FileStatus): FolderEntry = {
    val name = status.getPath.getName
    if (status.isDirectory) Folder(name)
    else File(name, status.getLen, status.getModificationTime)
  }
}
