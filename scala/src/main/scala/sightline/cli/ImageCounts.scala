package sightline.cli

import org.json4s.JObject
import org.json4s.JsonDSL.*

/**
 * The counts of a run's images.
 *
 * @param images the number of all images
 * @param errors the number of failed images by error code
 */
final case class ImageCounts(images: Long, errors: Map[String, Long]) {

  /** The number of images without an error. */
  def predicted: Long = images - errors.values.sum

  /** The share of the images that failed, 0 to 1. */
  def errorRate: Double = if (images == 0) 0 else errors.values.sum.toDouble / images

  /** A text such as `3 errors: 2 CORRUPT, 1 EMPTY`, or `no errors`. */
  def errorText: String = {
    val list = errors.toSeq.sortBy { case (code, n) => (-n, code) }.map { case (code, n) =>
      s"$n $code"
    }
    if (list.isEmpty) "no errors"
    else s"${errors.values.sum} errors: ${list.mkString(", ")}"
  }

  def json: JObject = ("images" -> images) ~ ("predicted" -> predicted) ~ ("errors" -> errors)
}
