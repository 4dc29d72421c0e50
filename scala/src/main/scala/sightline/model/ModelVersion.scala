package sightline.model

import java.time.Instant

import org.apache.hadoop.fs.Path
import org.json4s.*
import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods

/**
 * The file that records a version of a model.
 *
 * @param name the model's name, as it was created
 * @param number the version, from 1
 */
final case class VersionFile(name: String, number: Int, path: Path)

/**
 * The content of a version's file.
 *
 * @param number from 1
 * @param sha256 the hash of the bundle's `model.json`, in hexadecimal
 * @param source the path of the bundle that CREATE MODEL copied
 * @param options options of calls; a call can override them
 * @param bundle the name of the zip beside the version's file
 * @param about the description for SHOW MODELS, which opens no bundle
 */
final case class ModelVersion(
    number: Int,
    sha256: String,
    source: String,
    created: Instant,
    comment: Option[String],
    options: Map[String, String],
    bundle: String,
    about: AboutModel,
) {

  def toJson: String = JsonMethods.pretty(
    ("version" -> number) ~ ("sha256" -> sha256) ~ ("source" -> source) ~
      ("created" -> created.toString) ~ ("comment" -> comment) ~ ("options" -> options) ~
      ("bundle" -> bundle) ~ ("task" -> about.task) ~ ("classes" -> about.classes) ~
      ("backends" -> about.backends)
  )
}

object ModelVersion {

  def apply(
      number: Int,
      bundle: Bundle,
      source: String,
      created: Instant,
      comment: Option[String],
      options: Map[String, String],
      zip: String,
  ): ModelVersion = {
    val about = AboutModel(bundle.manifest)
    ModelVersion(number, bundle.sha256, source, created, comment, options, zip, about)
  }

  def parse(json: String): ModelVersion = {
    implicit val formats: Formats = DefaultFormats
    val root = JsonMethods.parse(json)
    ModelVersion(
      (root \ "version").extract[Int],
      (root \ "sha256").extract[String],
      (root \ "source").extract[String],
      Instant.parse((root \ "created").extract[String]),
      (root \ "comment").extractOpt[String],
      (root \ "options").extract[Map[String, String]],
      (root \ "bundle").extract[String],
      AboutModel(
        (root \ "task").extract[String],
        (root \ "classes").extract[Int],
        (root \ "backends").extract[Seq[String]],
      ),
    )
  }
}
