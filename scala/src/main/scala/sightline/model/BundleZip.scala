package sightline.model

import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path}
import java.util.zip.{ZipException, ZipFile}

import scala.collection.concurrent.TrieMap
import scala.jdk.CollectionConverters.*
import scala.util.Using

import sightline.SightlineException

/** Unpacks a zipped bundle, and no entry of it outside its folder. */
private[model] object BundleZip {

  // A query's analysis may resolve the model again and again.
  private val unpacked = TrieMap.empty[String, Path]

  /** A bundle's folder: `location` itself, or what the zip there unpacks to. */
  def folder(location: Path): Path =
    if (Files.isDirectory(location)) location
    else {
      val version = s"$location ${Files.getLastModifiedTime(location)} ${Files.size(location)}"
      unpacked.getOrElseUpdate(version, unpack(location))
    }

  /** The text of `model.json` in the zip or in the one folder of it, without unpacking the rest. */
  def manifest(zip: Path): String = Using.resource(open(zip)) { archive =>
    archive.entries.asScala
      .find(entry => entry.getName.matches(s"([^/]+/)?${Manifest.FileName}"))
      .map(entry =>
        Using.resource(archive.getInputStream(entry))(in => new String(in.readAllBytes(), UTF_8))
      )
      .getOrElse {
        throw SightlineException(
          "INVALID_BUNDLE",
          "bundle" -> zip,
          "reason" -> s"it holds no ${Manifest.FileName}",
        )
      }
  }

  /** @return the folder that holds `model.json`: the zip's root, or the one folder in it */
  private def unpack(zip: Path): Path = {
    val target = TemporaryFolder.create("bundle")
    Using.resource(open(zip)) { archive =>
      archive.entries.asScala.filterNot(_.isDirectory).foreach { entry =>
        val file = target.resolve(entry.getName).normalize
        if (!file.startsWith(target)) {
          throw SightlineException(
            "INVALID_BUNDLE",
            "bundle" -> zip,
            "reason" -> s"its entry '${entry.getName}' lies outside the bundle, so do not use this file",
          )
        }
        Files.createDirectories(file.getParent)
        Using.resource(archive.getInputStream(entry))(Files.copy(_, file))
      }
    }
    Using.resource(Files.list(target)) { entries =>
      entries.iterator.asScala.toList match {
        case List(only) if Files.isDirectory(only) => only
        case _ => target
      }
    }
  }

  private def open(zip: Path): ZipFile =
    try new ZipFile(zip.toFile)
    catch {
      case error: ZipException =>
        throw SightlineException(
          "INVALID_BUNDLE",
          "bundle" -> zip,
          "reason" -> s"it is no zip file (${error.getMessage})",
        )
    }
}
