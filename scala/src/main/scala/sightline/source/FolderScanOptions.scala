package sightline.source

import java.time.ZoneId
import java.util.Locale

import scala.jdk.CollectionConverters.*
import scala.util.Try

import org.apache.spark.sql.sightline.SqlTimestamp
import org.apache.spark.sql.util.CaseInsensitiveStringMap

import sightline.SightlineException

/**
 * What a scan was asked for.
 *
 * @param location folder or glob
 * @param limit at most so many files
 * @param maxImageBytes larger files give TOO_LARGE and are not opened
 * @param filter which files are taken
 */
final case class FolderScanOptions(
    location: String,
    labels: FolderLabels,
    limit: Option[Int],
    maxImageBytes: Long,
    filter: FileFilter,
)

object FolderScanOptions {

  val MaxImageBytes: Long = 64L << 20

  /** Every option; the last five are those of Spark's own sources of files. */
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
    def number(name: String): Option[Long] = text(name).map { text =>
      Try(text.toLong).toOption.filter(_ >= 0).getOrElse {
        throw invalid(name, text, "It must be a whole number of at least 0.")
      }
    }
    def millis(name: String): Option[Long] = text(name).map(millisOf(name, _, text("timeZone")))
    val location = text("path").getOrElse {
      throw invalid("path", "", "Format sightline takes exactly one path: load('folder or glob').")
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
            throw invalid("recursiveFileLookup", other, "Known: true, false.")
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
      Try(ZoneId.of(zone)).getOrElse(throw invalid("timeZone", zone, "It is not a time zone."))
    }
    SqlTimestamp.millis(text, at).getOrElse {
      throw invalid(name, text, "It must be a time such as 2024-06-30T12:00:00.")
    }
  }

  private def invalid(option: String, value: String, reason: String): SightlineException =
    SightlineException("INVALID_OPTION", "option" -> option, "value" -> value, "reason" -> reason)
}
