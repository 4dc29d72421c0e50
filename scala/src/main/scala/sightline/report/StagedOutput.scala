package sightline.report

import java.util.UUID

import org.apache.hadoop.fs.{FileSystem, Path}

import sightline.SightlineException

/** How an output is written and then becomes visible. */
private[report] trait StagedOutput {

  /** The folder to write to. */
  def staging: Path

  /** The file that identifies the run as long as it writes. */
  def owner: Path

  /** Writes the owner file. The run may write to [[staging]] afterwards. */
  def begin(): Unit

  /** Writes the owner file again, to show that the run goes on. */
  def beat(): Unit

  /** Makes the output visible as a whole. */
  def publish(): Unit

  /** Removes what the run has written, if it was not published. */
  def discard(): Unit

  /** Removes the owner file. */
  def end(): Unit
}

/**
 * An output that is written beside its final path and then renamed, for file systems with an atomic
 * rename.
 *
 * @param output fully qualified
 * @param overwrites whether the output may exist
 */
final private[report] class RenamedOutput(fs: FileSystem, output: Path, overwrites: Boolean)
    extends StagedOutput {

  private val id = UUID.randomUUID.toString.take(8)

  override val owner: Path = KilledRuns.owner(output, id)

  /** Its name does not start with a dot, because Spark would not read it. */
  override val staging: Path = KilledRuns.staging(output, id)

  override def begin(): Unit = RunOwner.current.write(fs, owner)

  override def beat(): Unit = RunOwner.current.write(fs, owner)

  override def publish(): Unit = {
    val old = KilledRuns.replaced(output, id)
    val isThere = fs.exists(output)
    if (isThere && !overwrites) throw Publication.exists(output)
    if (isThere) rename(output, old)
    try rename(staging, output)
    catch {
      case error: Throwable =>
        if (isThere) rename(old, output)
        throw error
    }
    if (isThere) fs.delete(old, true): Unit
  }

  override def discard(): Unit = fs.delete(staging, true): Unit

  override def end(): Unit = fs.delete(owner, false): Unit

  private def rename(from: Path, to: Path): Unit =
    if (!fs.rename(from, to)) {
      throw SightlineException(
        "OUTPUT_NOT_WRITTEN",
        "path" -> to,
        "reason" -> s"$from could not be renamed to it",
      )
    }
}
