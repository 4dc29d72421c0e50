package sightline.model

import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{FileAlreadyExistsException, Files, Paths}
import java.util.UUID

import scala.util.Try

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileAlreadyExistsException as HadoopFileExists, Path}
import org.apache.spark.sql.execution.streaming.checkpointing.CheckpointFileManager

/** A small file that appears whole, and once: of many writers at the same time one succeeds. */
private[model] object NewFile {

  /** @return whether this call wrote it; false if it is there already */
  def write(path: Path, text: String, hadoop: Configuration): Boolean = {
    val fs = path.getFileSystem(hadoop)
    fs.mkdirs(path.getParent): Unit
    if (fs.getUri.getScheme == "file") link(path, text) else rename(path, text, hadoop)
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

  /** As Spark's streaming writes its log of batches. */
  private def rename(path: Path, text: String, hadoop: Configuration): Boolean = {
    val manager = CheckpointFileManager.create(path.getParent, hadoop)
    if (manager.exists(path)) false
    else {
      val out = manager.createAtomic(path, overwriteIfPossible = false)
      try {
        out.write(text.getBytes(UTF_8))
        out.close()
        true
      } catch {
        case _: HadoopFileExists => false
        case error: Throwable =>
          out.cancel()
          throw error
      }
    }
  }
}
