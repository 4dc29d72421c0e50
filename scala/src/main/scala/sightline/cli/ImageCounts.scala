package sightline.cli

import org.json4s.JObject
import org.json4s.JsonDSL.*

/**
 * What became of a run's images.
 *
 * @param images all of them
 * @param errors error code to how many
 */
final case class ImageCounts(images: Long, errors: Map[String, Long]) {
  def predicted: Long = images - errors.values.sum

  /** Share of the images that failed, 0 to 1. */
  def errorRate: Double = if (images == 0) 0 else errors.values.sum.toDouble / images

  /** `3 errors: 2 CORRUPT, 1 EMPTY`. */
  def errorText: String = {
    val list = errors.toSeq.sortBy { case (code, n) => (-n, code) }.map { case (code, n) =>
      s"$n $code"
    }
    if (list.isEmpty) "no errors"
    else s"${errors.values.sum} errors: ${list.mkString(", ")}"
  }

  def json: JObject = ("images" -> images) ~ ("predicted" -> predicted) ~ ("errors" -> errors)
}
