package sightline.source

import java.nio.charset.StandardCharsets.UTF_8

import scala.util.Using

import org.apache.hadoop.fs.{FileSystem, Path, RemoteIterator}

/** What a listing says of one name in a folder: a file with its size and time, or a folder. */
sealed private[source] trait FolderEntry {
  def name: String
}

private[source] object FolderEntry {

  /**
   * @param length in bytes
   * @param modificationTime in milliseconds since 1970
   */
  final case class File(name: String, length: Long, modificationTime: Long) extends FolderEntry

  /** @param isLink whether it is one of this machine's links, which may lead anywhere */
  final case class Folder(name: String, isLink: Boolean = false) extends FolderEntry

  /** Names that start with `_` or `.` are passed over, as Spark does. */
  def isHidden(name: String): Boolean = name.startsWith("_") || name.startsWith(".")

  /**
   * What a folder holds at any URI, in the order of names. It is listed in pages where the file
   * system has them, and of each page only this much is kept.
   *
   * @throws java.io.IOException when it cannot be listed
   */
  def remote(fs: FileSystem, folder: Path): FolderContents = {
    val all = iterator(fs.listStatusIterator(folder)).map { status =>
      val name = status.getPath.getName
      if (status.isDirectory) Folder(name)
      else File(name, status.getLen, status.getModificationTime)
    }.toArray
    val names = all.map(_.name)
    def read(name: String): String =
      Using.resource(fs.open(new Path(folder, name)))(in => new String(in.readAllBytes(), UTF_8))
    FolderContents(
      all.filterNot(entry => isHidden(entry.name)).sortBy(_.name).iterator,
      names,
      read,
    )
  }

  private def iterator[A](remote: RemoteIterator[A]): Iterator[A] = new Iterator[A] {
    override def hasNext: Boolean = remote.hasNext
    override def next(): A = remote.next()
  }
}
