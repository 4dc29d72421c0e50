package sightline.model

import java.time.Instant

import org.json4s.*
import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods

/**
 * One version of a model under a models root: the file that makes it one.
 *
 * @param number from 1
 * @param sha256 of the bundle's `model.json`
 * @param source where CREATE MODEL had it from
 * @param options how it runs unless a call says otherwise
 */
final case class ModelVersion(
    number: Int,
    sha256: String,
    source: String,
    created: Instant,
    comment: Option[String],
    options: Map[String, String],
) {

  def toJson: String = JsonMethods.pretty(
    ("version" -> number) ~ ("sha256" -> sha256) ~ ("source" -> source) ~
      ("created" -> created.toString) ~ ("comment" -> comment) ~ ("options" -> options)
  )
}

object ModelVersion {

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
    )
  }
}
