package sightline.report

import java.nio.file.{Files, Paths}
import java.util.UUID

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path}

import sightline.SightlineException

/**
 * An output folder that appears whole or not at all: written beside its place, then renamed.
 *
 * Where a rename is one step (local, HDFS) a killed run leaves the old result or the new, or, between
 * the two renames of a replacement, the old one as `NAME.replaced-…`; object stores copy, so there a
 * reader may meet the moment between.
 */
final class Publication private (fs: FileSystem, output: Path, overwrite: Boolean) {

  private val id = UUID.randomUUID.toString.take(8)

  /** Where to write; Spark would not read a name that starts with a dot. */
  val staging = new Path(output.getParent, s"${output.getName}.incomplete-$id")

  /** Puts the staged folder in its place. */
  def publish(): Unit = {
    val old = new Path(output.getParent, s"${output.getName}.replaced-$id")
    val replaces = fs.exists(output)
    if (replaces && !overwrite) throw Publication.exists(output)
    if (replaces) rename(output, old)
    try rename(staging, output)
    catch {
      case error: Throwable =>
        if (replaces) rename(old, output)
        throw error
    }
    if (replaces) fs.delete(old, true): Unit
  }

  /** Removes what was staged. */
  def discard(): Unit = fs.delete(staging, true): Unit

  private def rename(from: Path, to: Path): Unit =
    if (!fs.rename(from, to)) {
      throw SightlineException(
        "OUTPUT_NOT_WRITTEN",
        "path" -> to,
        "reason" -> s"$from could not be renamed to it",
      )
    }
}

object Publication {

  /**
   * @param inputs what the run reads, which replacing `output` must not remove
   * @throws SightlineException OUTPUT_EXISTS when there is something at `output` already, or when it
   *   holds an input
   */
  def prepare(
      output: String,
      overwrite: Boolean,
      inputs: Seq[String],
      hadoop: Configuration,
  ): Publication = {
    val path = new Path(output)
    val fs = path.getFileSystem(hadoop)
    val qualified = fs.makeQualified(path)
    inputs
      .find(input => s"${place(input, hadoop)}/".startsWith(s"${place(output, hadoop)}/"))
      .foreach { input =>
        throw SightlineException("OUTPUT_HOLDS_INPUT", "output" -> output, "input" -> input)
      }
    if (fs.exists(qualified) && !overwrite) throw exists(path)
    new Publication(fs, qualified, overwrite)
  }

  /** The one name of a place, without `..`, and without links where it is local. */
  private def place(location: String, hadoop: Configuration): String = {
    val path = new Path(location)
    val uri = path.getFileSystem(hadoop).makeQualified(path).toUri.normalize
    val local = Option.when(uri.getScheme == "file")(Paths.get(uri.getPath)).filter(Files.exists(_))
    local.fold(uri.toString)(_.toRealPath().toUri.toString).stripSuffix("/")
  }

  private def exists(output: Path): SightlineException =
    SightlineException("OUTPUT_EXISTS", "output" -> output)
}
