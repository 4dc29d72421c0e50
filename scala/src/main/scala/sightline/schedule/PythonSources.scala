package sightline.schedule

import java.io.ByteArrayInputStream
import java.nio.file.Path
import java.security.MessageDigest
import java.util.HexFormat

import scala.util.Using

import org.apache.hadoop.fs.FileUtil

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
    FileUtil.unZip(new ByteArrayInputStream(archive), target.toFile)
    target
  }
}
