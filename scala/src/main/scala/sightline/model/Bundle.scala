package sightline.model

import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.attribute.{BasicFileAttributes, FileTime}
import java.nio.file.{Files, Path}
import java.security.MessageDigest
import java.time.Instant
import java.util.HexFormat
import java.util.concurrent.atomic.AtomicLong

import scala.collection.concurrent.TrieMap
import scala.jdk.CollectionConverters.*
import scala.util.Using

import sightline.SightlineException

/**
 * A model on the driver's disk. The hash of each of its files has been verified.
 *
 * @param folder the folder with `model.json` and the files that it lists
 * @param sha256 the SHA-256 of `model.json` in hexadecimal; it identifies the model, because `model.json`
 *   contains the hashes of all other files
 */
final case class Bundle(folder: Path, manifest: Manifest, sha256: String) {

  /** The class labels in the order of the class ids; empty if no output has a classes head. */
  lazy val labels: IndexedSeq[String] = manifest.signature.labelsFile.toIndexedSeq.flatMap { file =>
    Files.readAllLines(folder.resolve(file), UTF_8).asScala
  }

  /** Writes the bundle's files to a new zip in a temporary folder of the driver. */
  private[sightline] def zip(): Path = {
    val zip = TemporaryFolder.create("model").resolve(s"${manifest.name}.zip")
    ZipFolder.write(folder, Manifest.FileName +: manifest.files.keys.toSeq.sorted, zip)
    zip
  }

  /** The model's input and output tensors. */
  def signature: Signature = manifest.signature

  /** The names of the built-in backends that can run the model. */
  def backends: Seq[String] = manifest.backends

  /**
   * The backend of that name, if the bundle has a variant for it.
   *
   * @param known the backends to choose from
   * @throws SightlineException UNKNOWN_BACKEND, or NO_VARIANT
   */
  def requireBackend(backend: String, known: Seq[Backend] = Backend.all): Backend = {
    val found = known.find(_.name == backend).getOrElse {
      throw SightlineException(
        "UNKNOWN_BACKEND",
        "option" -> "backend",
        "value" -> backend,
        "known" -> known.map(_.name),
      )
    }
    def runs(one: Backend): Boolean = manifest.variants.contains(one.variant)
    if (!runs(found)) {
      throw SightlineException(
        "NO_VARIANT",
        "model" -> manifest.name,
        "backend" -> backend,
        "known" -> known.filter(runs).map(_.name),
      )
    }
    found
  }

  /**
   * The bundle, if this mode is fp32 or calibrated.
   *
   * @param precision one of [[Backend.Precisions]]
   * @param known the backends to choose from
   * @throws SightlineException UNKNOWN_BACKEND, NO_VARIANT, UNKNOWN_PRECISION, UNSUPPORTED_PRECISION, or
   *   NOT_CALIBRATED with the command that calibrates the mode
   */
  def requirePrecision(
      backend: String,
      precision: String,
      known: Seq[Backend] = Backend.all,
  ): Bundle = {
    val chosen = requireBackend(backend, known)
    if (!Backend.Precisions.contains(precision)) {
      throw SightlineException(
        "UNKNOWN_PRECISION",
        "option" -> "precision",
        "value" -> precision,
        "known" -> Backend.Precisions,
      )
    }
    if (!chosen.precisions.contains(precision)) {
      val others = known.filter(_.precisions.contains(precision)).map(_.name)
      throw SightlineException(
        "UNSUPPORTED_PRECISION",
        "backend" -> backend,
        "precision" -> precision,
        "able" -> chosen.precisions,
        "others" -> others.mkString(" or "),
      )
    }
    val mode = CalibratedMode(backend, precision)
    if (!mode.isReference && !manifest.calibrated.contains(mode)) {
      throw notCalibrated(mode)
    }
    this
  }

  /**
   * The bundle, if it has an output of features.
   *
   * @throws SightlineException NO_FEATURES
   */
  def requireFeatures(): Bundle =
    if (signature.vector.isDefined) this
    else {
      throw SightlineException(
        "NO_FEATURES",
        "model" -> manifest.name,
        "outputs" -> signature.outputs.map(_.tensor.name).sorted,
      )
    }

  /**
   * The bundle, if it has an output of class scores.
   *
   * @throws SightlineException NO_CLASSES
   */
  def requireClasses(): Bundle =
    if (signature.classes.isDefined) this
    else {
      val found = signature.outputs.map(one => s"${one.tensor.name} (${one.head.kind})")
      throw SightlineException(
        "NO_CLASSES",
        "detail" -> (s"model ${manifest.name} has no output of class scores; its outputs are " +
          s"${found.mkString(", ")}."),
      )
    }

  /**
   * The bundle, if its only input is an image.
   *
   * @throws SightlineException NO_IMAGE_INPUT
   */
  def requireImage(): Bundle =
    if (signature.inputs.map(_.feed) == Seq(Feed.Image)) this
    else {
      val found = signature.inputs.map(one => s"${one.tensor.name} (${one.feed.kind})")
      throw SightlineException(
        "NO_IMAGE_INPUT",
        "detail" -> (s"model ${manifest.name} does not take one image per row; its inputs are " +
          s"${found.mkString(", ")}."),
      )
    }

  private def notCalibrated(mode: CalibratedMode): SightlineException =
    SightlineException(
      "NOT_CALIBRATED",
      "model" -> manifest.name,
      "mode" -> mode,
      "known" -> manifest.calibrated.map(one => s"'$one'"),
      "backend" -> mode.backend,
      "precision" -> mode.precision,
    )
}

object Bundle {

  /** The number of files that have been hashed, for tests. */
  private[sightline] val filesHashed = new AtomicLong

  // Keeps the hashes, because SQL resolves a model at every analysis and a model may have gigabytes.
  private val hashes = TrieMap.empty[FileVersion, String]

  // Two changes of a file within this time can have the same modification time.
  private val SettledSeconds = 2L

  /** The metadata that identify a version of a file without reading it. */
  final private case class FileVersion(
      path: Path,
      bytes: Long,
      modified: FileTime,
      file: Option[AnyRef],
  )

  /**
   * Opens the bundle in `folder` and verifies the hash of every file. A file is not read again if its size
   * and modification time are the same as when it was hashed before. The workers hash every file that they
   * load.
   *
   * @throws SightlineException INVALID_BUNDLE, or BUNDLE_CORRUPT if a file is missing or its hash differs
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
    // Before the file is read, which can take longer than the time itself.
    val settled = Instant.now.minusSeconds(SettledSeconds)
    val found = Files.readAttributes(path, classOf[BasicFileAttributes])
    val version = FileVersion(
      path.toAbsolutePath,
      found.size,
      found.lastModifiedTime,
      Option(found.fileKey),
    )
    hashes.getOrElse(
      version, {
        val hash = hashed(path)
        if (found.lastModifiedTime.toInstant.isBefore(settled)) hashes.put(version, hash): Unit
        hash
      },
    )
  }

  private def hashed(path: Path): String = {
    filesHashed.incrementAndGet(): Unit
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
