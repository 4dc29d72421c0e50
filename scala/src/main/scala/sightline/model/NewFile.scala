package sightline.model

import java.nio.file.{FileAlreadyExistsException, Files, Paths}
import java.util.UUID

import scala.util.Try

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.sightline.AtomicFile

/** A small file that appears whole, and once: of many writers at the same time one succeeds. */
private[model] object NewFile {

  /** @return whether this call wrote it; false if it is there already */
  def write(path: Path, text: String, hadoop: Configuration): Boolean = {
    val fs = path.getFileSystem(hadoop)
    fs.mkdirs(path.getParent): Unit
    if (fs.getUri.getScheme == "file") link(path, text) else AtomicFile.write(path, text, hadoop)
  }

  // Hadoop's local rename looks for the target first, and then replaces it: two may succeed.
  private def link(path: Path, text: String): Boolean = {
    val target = Paths.get(path.toUri.getPath)
    val part = target.resolveSibling(s".${target.getFileName}.${UUID.randomUUID}.part")
    Files.writeString(part, text)
    try {
      Files.createLink(target, part)
      true
    } catch { case _: FileAlreadyExistsException => false }
    finally {
      // The file is there: what cannot be tidied up must not look as if it were not.
      Try(Files.delete(part)): Unit
    }
  }
}
