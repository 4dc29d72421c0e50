package sightline.model

import java.io.InputStream
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path}
import java.util.zip.{ZipException, ZipFile}

import scala.collection.concurrent.TrieMap
import scala.jdk.CollectionConverters.*
import scala.util.Using

import sightline.SightlineException

/**
 * Unpacks zipped bundles. An entry outside the bundle's folder is an error.
 *
 * The unpacked size is limited to 20 times the size of the zip, or 64 MiB if that is more: weights
 * hardly compress, and a zip of 1 MB could otherwise fill the disk. Python's `Bundle` has the same
 * limit.
 */
private[model] object BundleZip {

  private val SmallBytes = 64L << 20
  private val LargestRatio = 20L
  private val ManifestBytes = 16 << 20
  private val MostEntries = 1000
  private val ChunkBytes = 1 << 20

  // The analysis of a query may resolve the model many times.
  private val unpacked = TrieMap.empty[String, Path]

  /** A bundle's folder: `location` itself, or the folder into which its zip is unpacked. */
  def folder(location: Path): Path =
    if (Files.isDirectory(location)) location
    else {
      val version = s"$location ${Files.getLastModifiedTime(location)} ${Files.size(location)}"
      unpacked.getOrElseUpdate(version, unpack(location))
    }

  /** The text of `model.json` in the zip or in its only folder; nothing else is unpacked. */
  def manifest(zip: Path): String = Using.resource(open(zip)) { archive =>
    archive.entries.asScala
      .find(entry => entry.getName.matches(s"([^/]+/)?${Manifest.FileName}"))
      .map(entry =>
        Using.resource(archive.getInputStream(entry))(in =>
          new String(in.readNBytes(ManifestBytes), UTF_8)
        )
      )
      .getOrElse {
        throw invalid(zip, s"it contains no ${Manifest.FileName}")
      }
  }

  /**
   * @return the folder that contains `model.json`: the zip's root, or the only folder in it
   * @throws SightlineException INVALID_BUNDLE for a file that is not a zip, an entry outside the
   *   folder, too many entries, or too many bytes
   */
  private def unpack(zip: Path): Path = {
    val target = TemporaryFolder.create("bundle")
    Using.resource(open(zip)) { archive =>
      if (archive.size > MostEntries) {
        throw invalid(zip, s"it has ${archive.size} entries, more than $MostEntries")
      }
      val most = math.max(SmallBytes, LargestRatio * Files.size(zip))
      archive.entries.asScala.filterNot(_.isDirectory).foldLeft(0L) { (before, entry) =>
        val file = target.resolve(entry.getName).normalize
        if (!file.startsWith(target)) {
          throw invalid(zip, s"its entry '${entry.getName}' is outside the bundle")
        }
        Files.createDirectories(file.getParent)
        before + copy(archive.getInputStream(entry), file, most - before).getOrElse {
          throw invalid(zip, s"it has ${Files.size(zip)} bytes and unpacks to more than $most")
        }
      }: Unit
    }
    Using.resource(Files.list(target)) { entries =>
      entries.iterator.asScala.toList match {
        case List(only) if Files.isDirectory(only) => only
        case _ => target
      }
    }
  }

  /**
   * Writes one entry. The size that the zip states is not used, because it may be wrong.
   *
   * @return the entry's size in bytes; None if it is more than `most`
   */
  private def copy(entry: InputStream, file: Path, most: Long): Option[Long] =
    Using.resources(entry, Files.newOutputStream(file)) { (in, out) =>
      val chunks = Iterator.continually(in.readNBytes(ChunkBytes)).takeWhile(_.nonEmpty)
      val (fitting, over) = chunks.tapEach(out.write).scanLeft(0L)(_ + _.length).span(_ <= most)
      val written = fitting.foldLeft(0L)((_, total) => total)
      Option.when(over.isEmpty)(written)
    }

  private def open(zip: Path): ZipFile =
    try new ZipFile(zip.toFile)
    catch {
      case error: ZipException =>
        throw invalid(zip, s"it is not a zip file (${error.getMessage})")
    }

  private def invalid(zip: Path, why: String): SightlineException =
    SightlineException("INVALID_BUNDLE", "bundle" -> zip, "reason" -> why)
}
