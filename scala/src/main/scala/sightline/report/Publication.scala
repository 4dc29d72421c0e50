package sightline.report

import java.util.UUID

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path}

import sightline.SightlineException

/**
 * An output folder that appears whole or not at all: written beside its place, then renamed.
 *
 * On file systems where a rename is one step (local, HDFS) a killed run leaves the old result or
 * the new; object stores copy, so there a reader may meet the moment between.
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
      throw SightlineException.failed(
        "OUTPUT_NOT_WRITTEN",
        s"$from could not be renamed to $to. Check the permissions of ${to.getParent}.",
      )
    }
}

object Publication {

  /** @throws SightlineException OUTPUT_EXISTS when there is something at `output` already */
  def prepare(output: String, overwrite: Boolean, hadoop: Configuration): Publication = {
    val path = new Path(output)
    val fs = path.getFileSystem(hadoop)
    val qualified = fs.makeQualified(path)
    if (fs.exists(qualified) && !overwrite) throw exists(path)
    new Publication(fs, qualified, overwrite)
  }

  private def exists(output: Path): SightlineException =
    SightlineException.wrongUse(
      "OUTPUT_EXISTS",
      s"$output exists already. Choose another --output, or replace it with --overwrite.",
    )
}
