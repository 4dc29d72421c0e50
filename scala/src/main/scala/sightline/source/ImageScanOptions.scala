package sightline.source

import scala.util.Try

import org.apache.spark.sql.util.CaseInsensitiveStringMap

import sightline.SightlineException

/**
 * What a scan was asked for.
 *
 * @param location folder or glob
 * @param limit at most so many files
 * @param maxImageBytes larger files give TOO_LARGE and are not opened
 */
final case class ImageScanOptions(
    location: String,
    labels: FolderLabels,
    limit: Option[Int],
    maxImageBytes: Long,
)

object ImageScanOptions {

  val MaxImageBytes: Long = 64L << 20

  def parse(options: CaseInsensitiveStringMap): ImageScanOptions = {
    def number(name: String): Option[Long] = Option(options.get(name)).map { text =>
      Try(text.toLong).toOption.filter(_ >= 0).getOrElse {
        throw SightlineException(
          "INVALID_OPTION",
          "option" -> name,
          "value" -> text,
          "reason" -> "It must be a whole number of at least 0.",
        )
      }
    }
    ImageScanOptions(
      location = Option(options.get("path")).getOrElse {
        throw SightlineException(
          "INVALID_OPTION",
          "option" -> "path",
          "value" -> "",
          "reason" -> "Format sightline takes exactly one path: load('folder or glob').",
        )
      },
      labels = FolderLabels.parse(options.getOrDefault("labels", FolderLabels.Auto.name)),
      limit = number("limit").map(_.toInt),
      maxImageBytes = number("maxImageBytes").getOrElse(MaxImageBytes),
    )
  }
}
