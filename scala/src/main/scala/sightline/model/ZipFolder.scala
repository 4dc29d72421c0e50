package sightline.model

import java.nio.file.{Files, Path}
import java.util.zip.{ZipEntry, ZipOutputStream}

import scala.util.Using

/** Writes uncompressed zips, for files that compression does not make smaller, such as weights. */
private[sightline] object ZipFolder {

  /**
   * Writes a zip without compression, because compressing a large model takes seconds.
   *
   * @param files relative to `folder`; their order in the zip
   */
  def write(folder: Path, files: Seq[String], zip: Path): Unit =
    Using.resource(new ZipOutputStream(Files.newOutputStream(zip))) { out =>
      out.setLevel(0)
      files.foreach { file =>
        out.putNextEntry(new ZipEntry(file))
        Files.copy(folder.resolve(file), out)
        out.closeEntry()
      }
    }
}
