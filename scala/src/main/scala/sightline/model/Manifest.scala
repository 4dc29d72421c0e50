package sightline.model

import scala.util.{Failure, Success, Try}

import org.json4s.*
import org.json4s.jackson.JsonMethods

import sightline.{ErrorTranslation, SightlineException}

/**
 * What the driver needs to know of a bundle's `model.json`; the worker reads the rest.
 *
 * @param name the model's own name
 * @param task what its output means: `classification`
 * @param classes how many labels it has
 * @param labelsFile file with a label a line; the line number is the class id
 * @param variants form of the model to its file: `onnx -> model.onnx`
 * @param outputs name to role: `logits -> scores`, `pooled -> features`
 * @param calibrated ways to run it that change its numbers and were found to agree with fp32
 * @param architectures backend to the code its weights need: `pytorch -> timm:resnet50`
 * @param files every file of the bundle but the manifest, with its sha256 in hexadecimal
 */
final case class Manifest(
    name: String,
    task: String,
    classes: Int,
    labelsFile: String,
    variants: Map[String, String],
    architectures: Map[String, String],
    files: Map[String, String],
    outputs: Map[String, String],
    calibrated: Seq[CalibratedMode] = Nil,
) {

  /** Names of the backends that can run it. */
  def backends: Seq[String] =
    Backend.all.filter(backend => variants.contains(backend.variant)).map(_.name)
}

object Manifest {

  val FileName = "model.json"
  private val Format = 1

  // The bounds of Python's reader, sightline/bundle/manifest.py.
  private val MostClasses = 10000000
  private val LongestAxis = 1000000000
  private val LargestTolerance = 655.0 // a hundredth of the largest float16

  /** Parses `model.json`; `where` names the bundle in errors. */
  def parse(json: String, where: String): Manifest = {
    implicit val formats: Formats = DefaultFormats
    Try {
      val root = JsonMethods.parse(json)
      val format = (root \ "format").extract[BigInt]
      if (format != Format) {
        throw invalid(where, s"its format is $format, this Sightline reads format $Format")
      }
      val variants = (root \ "variants").extract[Map[String, JValue]]
      Manifest(
        name = (root \ "name").extract[String],
        task = (root \ "task").extract[String],
        classes = count(root \ "classes", MostClasses, "classes", where),
        labelsFile = (root \ "labels").extract[String],
        variants = variants.map { case (backend, v) => backend -> (v \ "file").extract[String] },
        architectures = variants.flatMap { case (backend, v) =>
          (v \ "architecture").extractOpt[String].map(backend -> _)
        },
        files = (root \ "files").extract[Map[String, String]],
        outputs = outputs(root, where),
        calibrated = root \ "calibration" match {
          case JNothing => Nil
          case entries => entries.extract[Seq[CalibratedMode]]
        },
      )
    } match {
      case Success(manifest) => checked(manifest, where)
      case Failure(error: SightlineException) => throw error
      case Failure(error) =>
        throw invalid(
          where,
          s"${Manifest.FileName} cannot be read (${ErrorTranslation.firstLine(error)})",
        )
    }
  }

  /** Name to role of each output; scores and features must be `["n", length]`. */
  private def outputs(root: JValue, where: String)(implicit formats: Formats) = {
    val tolerance = root \ "golden" \ "tolerance" match {
      case JInt(number) => number.toDouble
      case JDouble(number) => number
      case JDecimal(number) => number.toDouble
      case _ => Double.NaN
    }
    if (!(tolerance > 0 && tolerance <= LargestTolerance)) {
      throw invalid(where, "'golden.tolerance' must be above 0 and at most 655")
    }
    val outputs = (root \ "outputs").extract[Seq[JObject]]
    outputs.map { output =>
      val name = (output \ "name").extract[String]
      val role = (output \ "role").extract[String]
      output \ "shape" match {
        case JArray(List(JString("n"), length)) => count(length, LongestAxis, "shape", where)
        case JArray(_) if role == "tensor" => ()
        case _ => throw invalid(where, s"the shape of '$name', its $role, is not [n, length]")
      }
      name -> role
    }.toMap
  }

  /** An integer from 1 to `most`; json4s would cut one of many digits to 32 bits. */
  private def count(value: JValue, most: Int, field: String, where: String): Int = value match {
    case JInt(number) if number >= 1 && number <= most => number.toInt
    case _ => throw invalid(where, s"'$field' must be an integer from 1 to $most")
  }

  private def checked(manifest: Manifest, where: String): Manifest = {
    val named = manifest.variants.values.toSeq :+ manifest.labelsFile
    (manifest.files.keys ++ named).find(escapes).foreach { file =>
      throw invalid(where, s"file '$file' lies outside the bundle")
    }
    named.find(!manifest.files.contains(_)).foreach { file =>
      throw invalid(where, s"file '$file' has no sha256")
    }
    if (manifest.task != "classification") {
      throw invalid(where, s"its task is '${manifest.task}'. Known: classification")
    }
    manifest
  }

  private def escapes(file: String): Boolean =
    file.isEmpty || file.startsWith("/") || file.split("[/\\\\]").contains("..")

  private def invalid(where: String, why: String): SightlineException =
    SightlineException("INVALID_BUNDLE", "bundle" -> where, "reason" -> why)
}
