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

  /** Names of the backends that can run it. */
  def backends: Seq[String] = manifest.backends

  /**
   * The bundle, if it can run on `backend`.
   *
   * @throws SightlineException UNKNOWN_BACKEND, or NO_VARIANT
   */
  def requireBackend(backend: String): Bundle =
    if (backends.contains(backend)) this
    else if (Backend.find(backend).isEmpty) {
      throw SightlineException(
        "UNKNOWN_BACKEND",
        "option" -> "backend",
        "value" -> backend,
        "known" -> Backend.all.map(_.name),
      )
    } else
      throw SightlineException(
        "NO_VARIANT",
        "model" -> manifest.name,
        "backend" -> backend,
        "known" -> backends,
      )

  /**
   * The bundle, if this way to run it gives its own numbers or was measured.
   *
   * @param decoder of JPEGs: pillow, turbo or scaled
   * @throws SightlineException UNKNOWN_BACKEND, NO_VARIANT, UNKNOWN_PRECISION, UNSUPPORTED_PRECISION, or
   *   NOT_CALIBRATED with the command that measures it
   */
  def requirePrecision(backend: String, precision: String, decoder: String): Bundle = {
    requireBackend(backend)
    if (!Backend.Precisions.contains(precision)) {
      throw SightlineException(
        "UNKNOWN_PRECISION",
        "option" -> "precision",
        "value" -> precision,
        "known" -> Backend.Precisions,
      )
    }
    Backend.find(backend).filterNot(_.precisions.contains(precision)).foreach { unable =>
      val others = Backend.all.filter(_.precisions.contains(precision)).map(_.name)
      throw SightlineException(
        "UNSUPPORTED_PRECISION",
        "backend" -> backend,
        "precision" -> precision,
        "able" -> unable.precisions,
        "others" -> others.mkString(" or "),
      )
    }
    // turbo gives the pixels of pillow, bit for bit.
    val way = CalibratedMode(backend, precision, if (decoder == "turbo") "pillow" else decoder)
    if (!way.isExact && !manifest.calibrated.contains(way)) {
      throw notCalibrated(way)
    }
    this
  }

  /**
   * The bundle, if it has an output of features.
   *
   * @throws SightlineException NO_FEATURES
   */
  def requireFeatures(): Bundle =
    if (manifest.outputs.values.exists(_ == "features")) this
    else {
      throw SightlineException(
        "NO_FEATURES",
        "model" -> manifest.name,
        "outputs" -> manifest.outputs.keys.toSeq.sorted,
      )
    }

  private def notCalibrated(way: CalibratedMode): SightlineException =
    SightlineException(
      "NOT_CALIBRATED",
      "model" -> manifest.name,
      "mode" -> way,
      "known" -> manifest.calibrated.map(one => s"'$one'"),
      "backend" -> way.backend,
      "precision" -> way.precision,
      "decoder" -> way.decoder,
    )
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
    SightlineException(
      "BUNDLE_CORRUPT",
      "bundle" -> folder,
      "reason" -> why,
      "hint" -> "Its bytes changed since it was added; add it again from its source.",
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
