package sightline

import java.nio.file.{Files, Path}

import org.apache.commons.io.FileUtils

/** Temporary folders, deleted after the test. */
object TestFolder {

  def withFolder[A](test: Path => A): A = {
    // The real path, because listings return it.
    val folder = Files.createTempDirectory("sightline-test-").toRealPath()
    try test(folder)
    finally FileUtils.deleteQuietly(folder.toFile): Unit
  }

  /** Writes `text` to `name` below `folder`, and creates the parent folders. */
  def write(folder: Path, name: String, text: String): Path =
    write(folder, name, text.getBytes("UTF-8"))

  def write(folder: Path, name: String, bytes: Array[Byte]): Path = {
    val file = folder.resolve(name)
    Files.createDirectories(file.getParent)
    Files.write(file, bytes)
  }
}
