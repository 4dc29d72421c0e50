package sightline.model

import scala.util.{Failure, Success, Try}

import org.json4s.*
import org.json4s.jackson.JsonMethods

import sightline.{ErrorTranslation, SightlineException}

/**
 * The fields of a bundle's `model.json` that the driver uses. The worker reads the other fields.
 *
 * @param name the model's own name
 * @param signature the model's input and output tensors
 * @param variants the name of each variant to its file: `onnx -> model.onnx`
 * @param calibrated the modes whose results were measured and agree with fp32
 * @param batchRows the name of a backend to the batch size with the least CPU time for a row
 * @param architectures the name of a backend to the code that builds the network for its weights:
 *   `pytorch -> timm:resnet50`
 * @param files every file of the bundle except the manifest to its SHA-256 in hexadecimal
 */
final case class Manifest(
    name: String,
    signature: Signature,
    variants: Map[String, String],
    architectures: Map[String, String],
    files: Map[String, String],
    calibrated: Seq[CalibratedMode] = Nil,
    batchRows: Map[String, Int] = Map.empty,
) {

  /** The names of the built-in backends that can run the model. */
  def backends: Seq[String] =
    Backend.all.filter(backend => variants.contains(backend.variant)).map(_.name)
}

object Manifest {

  val FileName = "model.json"

  // The same limits as in Python's reader, sightline/bundle/manifest.py.
  private val LargestTolerance = 655.0 // a hundredth of the largest float16
  private val MostRows = 1000000

  /**
   * Parses a manifest.
   *
   * @param json the text of `model.json`
   * @param where the name of the bundle in errors
   * @throws SightlineException INVALID_BUNDLE
   */
  def parse(json: String, where: String): Manifest = {
    implicit val formats: Formats = DefaultFormats
    Try {
      val root = JsonMethods.parse(json)
      val tensors = signature(root, where)
      checkTolerance(root, where)
      Signature.checkRows(root, MostRows, where)
      val variants = (root \ "variants").extract[Map[String, JValue]]
      Manifest(
        name = (root \ "name").extract[String],
        signature = tensors,
        variants = variants.map { case (backend, v) => backend -> (v \ "file").extract[String] },
        architectures = variants.flatMap { case (backend, v) =>
          (v \ "architecture").extractOpt[String].map(backend -> _)
        },
        files = (root \ "files").extract[Map[String, String]],
        calibrated = root \ "calibration" match {
          case JNothing => Nil
          case entries => calibrated(entries)
        },
        batchRows = Signature.batchRows(root, MostRows, where),
      )
    } match {
      case Success(manifest) => checked(manifest, where)
      case Failure(error: SightlineException) => throw error
      case Failure(error) =>
        throw Signature.invalid(
          where,
          s"${Manifest.FileName} cannot be read (${ErrorTranslation.firstLine(error)})",
        )
    }
  }

  // An older bundle has an entry for each decoder. `scaled` does not exist any more, and the others
  // had the same results.
  private def calibrated(entries: JValue)(implicit formats: Formats): Seq[CalibratedMode] =
    entries
      .extract[List[JValue]]
      .filterNot(entry => entry \ "decoder" == JString("scaled"))
      .map(_.extract[CalibratedMode])
      .distinct

  private def signature(root: JValue, where: String)(implicit formats: Formats): Signature =
    (root \ "format").extract[BigInt].toString match {
      case "1" =>
        val task = (root \ "task").extract[String]
        if (task != "classification") {
          throw Signature.invalid(where, s"its task is '$task'. Known: classification")
        }
        Signature.parseFormat1(root, where)
      case "2" => Signature.parse(root, where)
      case other =>
        throw Signature
          .invalid(where, s"its format is $other, this Sightline reads formats 1 and 2")
    }

  private def checkTolerance(root: JValue, where: String): Unit = {
    val tolerance = root \ "golden" \ "tolerance" match {
      case JInt(number) => number.toDouble
      case JDouble(number) => number
      case JDecimal(number) => number.toDouble
      case _ => Double.NaN
    }
    if (!(tolerance > 0 && tolerance <= LargestTolerance)) {
      throw Signature.invalid(where, "'golden.tolerance' must be above 0 and at most 655")
    }
  }

  private def checked(manifest: Manifest, where: String): Manifest = {
    val named = manifest.variants.values.toSeq ++ manifest.signature.labelsFile
    (manifest.files.keys ++ named).find(escapes).foreach { file =>
      throw Signature.invalid(where, s"file '$file' is outside the bundle")
    }
    named.find(!manifest.files.contains(_)).foreach { file =>
      throw Signature.invalid(where, s"file '$file' has no sha256")
    }
    manifest
  }

  private def escapes(file: String): Boolean =
    file.isEmpty || file.startsWith("/") || file.split("[/\\\\]").contains("..")
}
