package sightline.model

import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path}
import java.security.MessageDigest
import java.util.HexFormat

import scala.jdk.CollectionConverters.*
import scala.util.Using

import sightline.SightlineException

/**
 * A model on the driver's disk, every file of it checked against its hash.
 *
 * @param folder holds `model.json` and the files that it names
 * @param sha256 of `model.json`, which holds the hashes of all other files: the model's identity
 */
final case class Bundle(folder: Path, manifest: Manifest, sha256: String) {

  /** Labels in the order of their class ids. */
  lazy val labels: IndexedSeq[String] =
    Files.readAllLines(folder.resolve(manifest.labelsFile), UTF_8).asScala.toIndexedSeq

  /**
   * The bundle, if it can run on `backend`.
   *
   * @throws SightlineException UNKNOWN_BACKEND
   */
  def requireBackend(backend: String): Bundle =
    if (manifest.variants.contains(backend)) this
    else {
      val known = manifest.variants.keys.toSeq.sorted.mkString(", ")
      throw SightlineException.wrongUse(
        "UNKNOWN_BACKEND",
        s"model '${manifest.name}' has no variant for backend '$backend'. Known: $known.",
      )
    }
}

object Bundle {

  /**
   * Opens the bundle in `folder` and hashes every file of it.
   *
   * @throws SightlineException INVALID_BUNDLE, or BUNDLE_CORRUPT when a byte differs
   */
  def open(folder: Path): Bundle = {
    val bytes = Files.readAllBytes(folder.resolve(Manifest.FileName))
    val manifest = Manifest.parse(new String(bytes, UTF_8), folder.toString)
    manifest.files.toSeq.sorted.foreach { case (file, expected) =>
      val path = folder.resolve(file)
      if (!Files.isRegularFile(path)) {
        throw corrupt(folder, s"file '$file' is missing")
      }
      val found = sha256(path)
      if (found != expected) {
        throw corrupt(folder, s"'$file' has sha256 ${found.take(12)}, not ${expected.take(12)}")
      }
    }
    Bundle(folder, manifest, HexFormat.of.formatHex(digest().digest(bytes)))
  }

  private def corrupt(folder: Path, why: String): SightlineException =
    SightlineException.wrongUse(
      "BUNDLE_CORRUPT",
      s"$folder: $why. Its bytes changed since it was added; add it again from its source.",
    )

  private def digest(): MessageDigest = MessageDigest.getInstance("SHA-256")

  private def sha256(path: Path): String = {
    val hash = digest()
    Using.resource(Files.newInputStream(path)) { in =>
      Iterator
        .continually(in.readNBytes(1 << 20))
        .takeWhile(_.nonEmpty)
        .foreach(hash.update)
    }
    HexFormat.of.formatHex(hash.digest())
  }
}
