package sightline.source

import java.time.ZoneId
import java.util.Locale

import scala.jdk.CollectionConverters.*
import scala.util.Try

import org.apache.spark.sql.sightline.SqlTimestamp
import org.apache.spark.sql.util.CaseInsensitiveStringMap

import sightline.{OptionValue, SightlineException}

/**
 * The options of a scan.
 *
 * @param location folder or glob, at any URI
 * @param limit the maximum number of files; None: no limit
 * @param maxImageBytes larger files give the error TOO_LARGE and are not opened
 * @param filter selects the files
 */
final case class FolderScanOptions(
    location: String,
    labels: FolderLabels,
    limit: Option[Int],
    maxImageBytes: Long,
    filter: FileFilter,
)

object FolderScanOptions {

  /** The default of `maxImageBytes`: 64 MiB. */
  val MaxImageBytes: Long = 64L << 20

  /** All options; the last five have the meaning that they have in Spark's own file sources. */
  val Known: Seq[String] = Seq(
    "path",
    "labels",
    "limit",
    "maxImageBytes",
    "include",
    "exclude",
    "pathGlobFilter",
    "modifiedBefore",
    "modifiedAfter",
    "timeZone",
    "recursiveFileLookup",
  )

  /** @throws SightlineException UNKNOWN_OPTION, INVALID_OPTION, UNKNOWN_LABELS */
  def parse(options: CaseInsensitiveStringMap): FolderScanOptions = {
    def text(name: String): Option[String] = Option(options.get(name))
    def number(name: String): Option[Long] = text(name).map(OptionValue.wholeNumber(name, _, 0))
    def millis(name: String): Option[Long] = text(name).map(millisOf(name, _, text("timeZone")))
    val location = text("path").getOrElse {
      throw OptionValue.invalid(
        "path",
        "",
        "Format sightline takes exactly one path: load('folder or glob').",
      )
    }
    requireKnown(options.asCaseSensitiveMap.asScala.keys.toSeq)
    FolderScanOptions(
      location = location,
      labels = FolderLabels.parse(options.getOrDefault("labels", FolderLabels.Auto.name)),
      limit = number("limit").map(n => math.min(n, Int.MaxValue.toLong).toInt),
      maxImageBytes = number("maxImageBytes").getOrElse(MaxImageBytes),
      filter = FileFilter(
        include = text("include").map(NamePatterns.parse("include", _)),
        exclude = text("exclude").map(NamePatterns.parse("exclude", _)),
        glob = text("pathGlobFilter"),
        modified = (millis("modifiedAfter"), millis("modifiedBefore")),
        depth = text("recursiveFileLookup").map(_.toLowerCase(Locale.ROOT)) match {
          case None | Some("true") => FileFilter.Depth.All
          case Some("false") => FileFilter.Depth.OneFolder
          case Some(other) =>
            throw OptionValue.invalid("recursiveFileLookup", other, "Known: true, false.")
        },
      ),
    )
  }

  private def requireKnown(names: Seq[String]): Unit =
    names.find(name => !Known.exists(_.equalsIgnoreCase(name))).foreach { name =>
      throw SightlineException("UNKNOWN_OPTION", "option" -> name, "known" -> Known)
    }

  private def millisOf(name: String, text: String, zone: Option[String]): Long = {
    val at = zone.map { zone =>
      Try(ZoneId.of(zone))
        .getOrElse(throw OptionValue.invalid("timeZone", zone, "It is not a time zone."))
    }
    SqlTimestamp.millis(text, at).getOrElse {
      throw OptionValue.invalid(name, text, "It must be a time such as 2024-06-30T12:00:00.")
    }
  }
}
