package sightline.schedule

import java.io.ByteArrayInputStream
import java.nio.file.{Files, Path}
import java.security.MessageDigest
import java.util.HexFormat
import java.util.zip.ZipInputStream

import scala.util.Using

import sightline.model.TemporaryFolder

/** The Python package that travels in the jar, so that jar and worker can never differ. */
object PythonSources {

  private lazy val archive: Array[Byte] =
    Using.resource(getClass.getClassLoader.getResourceAsStream("sightline-python.zip"))(
      _.readAllBytes()
    )

  /** Hash of the packed sources, in hexadecimal. */
  lazy val sha256: String =
    HexFormat.of.formatHex(MessageDigest.getInstance("SHA-256").digest(archive))

  /** The sources unpacked on the driver: what goes on `PYTHONPATH`. */
  lazy val folder: Path = {
    val target = TemporaryFolder.create("python")
    Using.resource(new ZipInputStream(new ByteArrayInputStream(archive))) { zip =>
      Iterator.continually(Option(zip.getNextEntry)).takeWhile(_.isDefined).flatten.foreach {
        entry =>
          val file = target.resolve(entry.getName)
          if (!entry.isDirectory) {
            Files.createDirectories(file.getParent)
            Files.copy(zip, file)
          }
      }
    }
    target
  }
}
