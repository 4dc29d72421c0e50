package sightline.schedule

import java.io.ByteArrayInputStream
import java.nio.file.Path
import java.security.MessageDigest
import java.util.HexFormat

import scala.util.Using

import org.apache.hadoop.fs.FileUtil

import sightline.model.TemporaryFolder

/** The Python package in the jar. The workers run it, so jar and worker always have the same version. */
object PythonSources {

  private lazy val archive: Array[Byte] =
    Using.resource(getClass.getClassLoader.getResourceAsStream("sightline-python.zip"))(
      _.readAllBytes()
    )

  /** The SHA-256 of the packed sources, in hexadecimal. */
  lazy val sha256: String =
    HexFormat.of.formatHex(MessageDigest.getInstance("SHA-256").digest(archive))

  /** The folder on the driver with the unpacked sources, for `PYTHONPATH`. */
  lazy val folder: Path = {
    val target = TemporaryFolder.create("python")
    FileUtil.unZip(new ByteArrayInputStream(archive), target.toFile)
    target
  }
}
