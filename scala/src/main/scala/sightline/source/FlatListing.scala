package sightline.source

import java.nio.charset.StandardCharsets.UTF_8

import scala.collection.mutable
import scala.jdk.CollectionConverters.*
import scala.util.{Try, Using}

import org.apache.hadoop.fs.{FileSystem, Path}
import org.apache.hadoop.util.functional.RemoteIterators

/**
 * All folders below a folder of an object store, from one listing of its objects. A request returns up to
 * 1000 or 5000 objects, in any number of folders.
 */
final private class FlatListing(fs: FileSystem, objects: Iterator[FlatListing.StoredObject]) {

  private val folders = mutable.HashMap.empty[String, mutable.ArrayBuffer[FolderEntry]]

  objects.foreach { found =>
    val (folder, name) = FlatListing.split(found.path)
    entries(folder) += FolderEntry.File(name, found.length, found.modificationTime)
  }

  /** The contents of the folder or of a folder below it. */
  def contents(folder: Path): FolderContents = {
    val all = folders.getOrElse(FlatListing.key(folder), mutable.ArrayBuffer.empty[FolderEntry])
    def read(name: String): String =
      Using.resource(fs.open(new Path(folder, name)))(in => new String(in.readAllBytes(), UTF_8))
    FolderContents(
      all.iterator
        .filterNot(entry => FileFilter.isHidden(entry.name))
        .toArray
        .sortBy(_.name)
        .iterator,
      all.iterator.map(_.name).toArray,
      read,
    )
  }

  /** The entries of a folder, which becomes an entry of the folder above it. */
  private def entries(folder: String): mutable.ArrayBuffer[FolderEntry] =
    folders.getOrElse(
      folder, {
        val made = mutable.ArrayBuffer.empty[FolderEntry]
        folders(folder) = made
        if (folder.nonEmpty) {
          val (above, name) = FlatListing.split(folder)
          entries(above) += FolderEntry.Folder(name)
        }
        made
      },
    )
}

private object FlatListing {

  /**
   * @param path without scheme and bucket
   * @param length in bytes
   * @param modificationTime in milliseconds since 1970
   */
  final case class StoredObject(path: String, length: Long, modificationTime: Long)

  /**
   * Lists the objects below a folder.
   *
   * @return None if the connector has no flat listing
   * @throws java.io.IOException when they cannot be listed
   */
  def of(fs: FileSystem, folder: Path): Option[FlatListing] =
    (fs.getUri.getScheme match {
      case "s3a" => Some(byFiles(fs, folder))
      case "gs" => byPrefix(fs, folder)
      case _ => None
    }).map(new FlatListing(fs, _))

  // S3A implements this method by one listing of all objects; other file systems list each folder.
  private def byFiles(fs: FileSystem, folder: Path): Iterator[StoredObject] =
    RemoteIterators
      .toList(
        RemoteIterators.mappingRemoteIterator(
          fs.listFiles(folder, true),
          (status: org.apache.hadoop.fs.LocatedFileStatus) =>
            StoredObject(key(status.getPath), status.getLen, status.getModificationTime),
        )
      )
      .asScala
      .iterator

  /**
   * Google's connector lists all objects with a prefix, but Hadoop's interface has no such method. So the
   * method is called by its name; the connector may be another version than the tested one.
   */
  private def byPrefix(fs: FileSystem, folder: Path): Option[Iterator[StoredObject]] = Try {
    val storage = fs.getClass.getMethod("getGcsFs").invoke(fs)
    val uri = new java.net.URI(s"${folder.toUri.toString.stripSuffix("/")}/")
    val list = storage.getClass.getMethod("listFileInfoForPrefix", classOf[java.net.URI])
    (list, storage, uri)
  }.toOption.map { case (list, storage, uri) =>
    val found =
      try list.invoke(storage, uri)
      catch { case error: java.lang.reflect.InvocationTargetException => throw error.getCause }
    found.asInstanceOf[java.util.List[AnyRef]].asScala.iterator.filterNot(is(_, "isDirectory")).map {
      info =>
        StoredObject(
          key(new Path(get(info, "getPath").asInstanceOf[java.net.URI])),
          get(info, "getSize").asInstanceOf[Long],
          get(info, "getModificationTime").asInstanceOf[Long],
        )
    }
  }

  private def get(info: AnyRef, method: String): Any = info.getClass.getMethod(method).invoke(info)

  private def is(info: AnyRef, method: String): Boolean = get(info, method).asInstanceOf[Boolean]

  /** The path without scheme and bucket, and without a slash at its end; empty for the bucket. */
  private def key(path: Path): String = path.toUri.getPath.stripSuffix("/")

  private def split(path: String): (String, String) = {
    val slash = path.lastIndexOf('/')
    (path.take(slash), path.drop(slash + 1))
  }
}
