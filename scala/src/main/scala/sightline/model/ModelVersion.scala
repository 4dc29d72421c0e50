package sightline.model

import java.time.Instant

import org.apache.hadoop.fs.Path
import org.json4s.*
import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods

/**
 * Where a version of a model is recorded.
 *
 * @param name of the model, as it was created
 * @param number from 1
 */
final case class VersionFile(name: String, number: Int, path: Path)

/**
 * One version of a model under a models root: what its file holds.
 *
 * @param number from 1
 * @param sha256 of the bundle's `model.json`
 * @param source where CREATE MODEL had it from
 * @param options how it runs unless a call says otherwise
 * @param bundle name of the zip beside the version's file
 * @param about what SHOW MODELS lists, so that it opens no bundle
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
