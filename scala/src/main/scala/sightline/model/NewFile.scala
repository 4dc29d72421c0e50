package sightline.model

import java.nio.file.{FileAlreadyExistsException, Files, Paths}
import java.util.UUID

import scala.util.Try

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.sightline.AtomicFile

import sightline.{LocalFiles, ObjectStore}

/**
 * Writes small files atomically: if several writers write a file at the same time, one succeeds. In an
 * object store their texts must differ.
 */
private[model] object NewFile {

  /** @return whether this call wrote the file; false if it exists already */
  def write(path: Path, text: String, hadoop: Configuration): Boolean = {
    val fs = path.getFileSystem(hadoop)
    fs.mkdirs(path.getParent): Unit
    if (LocalFiles.isLocal(fs)) link(path, text)
    else if (ObjectStore.is(fs)) ObjectStore.create(fs, path, text)
    else AtomicFile.write(path, text, hadoop)
  }

  // Hadoop's local rename checks for the target and then replaces it, so two writers may succeed.
  private def link(path: Path, text: String): Boolean = {
    val target = Paths.get(path.toUri.getPath)
    val part = target.resolveSibling(s".${target.getFileName}.${UUID.randomUUID}.part")
    Files.writeString(part, text)
    try {
      Files.createLink(target, part)
      true
    } catch { case _: FileAlreadyExistsException => false }
    finally {
      // The file has been written, so a failure to delete the temporary one is not an error.
      Try(Files.delete(part)): Unit
    }
  }
}
