package sightline.report

import java.io.IOException
import java.util.UUID
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicBoolean

import scala.util.Try

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path}
import org.apache.hadoop.util.ShutdownHookManager

import sightline.source.{Place, ReplacedFolder}
import sightline.{ErrorTranslation, SightlineException}

/**
 * An output folder that appears only when it is complete: it is written beside its final path and
 * then renamed.
 *
 * On file systems with an atomic rename (local, HDFS) a killed run leaves either the old result or the
 * new one, and the next run to the same output removes its temporary files. Object stores copy instead,
 * so a reader may find an incomplete output.
 *
 * @param replaces the folder that publishing deletes; None unless the run may overwrite
 */
final class Publication private (
    fs: FileSystem,
    output: Path,
    val replaces: Option[ReplacedFolder],
) {

  private val id = UUID.randomUUID.toString.take(8)
  private val owner = KilledRuns.owner(output, id)
  private val isOver = new AtomicBoolean(false)
  private val beat = DaemonTimer.start("sightline-publication")
  // Removes the unfinished output if Ctrl-C or SIGTERM ends the process.
  private val hook = new Thread(() => discard())

  /** The folder to write to. Its name does not start with a dot, because Spark would not read it. */
  val staging: Path = KilledRuns.staging(output, id)

  /**
   * Runs `write`, which fills [[staging]] and calls [[publish]]. An output that is not published is
   * removed.
   *
   * @throws SightlineException OUTPUT_NOT_WRITABLE
   */
  def apply[A](write: => A): A = {
    begin()
    try write
    finally discard()
  }

  /** Renames the staged folder to the output. */
  def publish(): Unit = synchronized {
    val old = KilledRuns.replaced(output, id)
    val isThere = fs.exists(output)
    if (isThere && replaces.isEmpty) throw Publication.exists(output)
    if (isThere) rename(output, old)
    try rename(staging, output)
    catch {
      case error: Throwable =>
        if (isThere) rename(old, output)
        throw error
    }
    if (isThere) fs.delete(old, true): Unit
    end()
  }

  /** Removes the staged folder if it has not been published. */
  def discard(): Unit = synchronized {
    if (!isOver.get) {
      fs.delete(staging, true): Unit
      end()
    }
  }

  /**
   * Checks that the folder to replace is empty or the output of a run.
   *
   * @throws SightlineException OUTPUT_NOT_OURS
   */
  def requireWritten(): Unit = replaces.foreach(_.requireWritten(fs, output))

  private def begin(): Unit = {
    requireWritten()
    ShutdownHookManager.get.addShutdownHook(hook, Publication.HookPriority)
    try RunOwner.current.write(fs, owner)
    catch {
      case error: IOException =>
        end()
        throw SightlineException(
          "OUTPUT_NOT_WRITABLE",
          "path" -> output.getParent,
          "reason" -> ErrorTranslation.firstLine(error),
        )
    }
    beat.scheduleAtFixedRate(
      () => Try(RunOwner.current.write(fs, owner)): Unit,
      KilledRuns.BeatSeconds,
      KilledRuns.BeatSeconds,
      TimeUnit.SECONDS,
    ): Unit
  }

  private def end(): Unit = {
    isOver.set(true)
    beat.shutdownNow(): Unit
    beat.awaitTermination(1, TimeUnit.MINUTES): Unit
    Try(ShutdownHookManager.get.removeShutdownHook(hook)): Unit
    // Last, because it identifies the owner of the other files.
    fs.delete(owner, false): Unit
  }

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

  /** After Spark stops, before Hadoop closes its file systems. */
  private val HookPriority = FileSystem.SHUTDOWN_HOOK_PRIORITY + 10

  /**
   * Checks the output and handles files that killed runs left beside it; creates nothing.
   *
   * @param inputs locations that the run reads, which the output must not contain
   * @param tables inputs whose files are all read, so that the output must not be in them
   * @throws SightlineException OUTPUT_EXISTS if `output` exists and `overwrite` is false,
   *   OUTPUT_HOLDS_INPUT, OUTPUT_IN_INPUT, OUTPUT_NOT_WRITABLE
   */
  def prepare(
      output: String,
      overwrite: Boolean,
      inputs: Seq[String],
      hadoop: Configuration,
      tables: Seq[String] = Nil,
  ): Publication = {
    val path = new Path(output)
    val fs = path.getFileSystem(hadoop)
    val qualified = fs.makeQualified(path)
    WritableOutput.require(fs, qualified)
    KilledRuns.settle(fs, qualified).foreach(line => System.err.println(s"sightline: $line"))
    val folder = Place.of(qualified, hadoop).map(ReplacedFolder(output, _))
    folder.foreach { replaced =>
      inputs.foreach(replaced.requireWithout(_, hadoop))
      tables.foreach(replaced.requireOutside(_, hadoop))
    }
    if (!overwrite && fs.exists(qualified)) throw exists(path)
    new Publication(fs, qualified, folder.filter(_ => overwrite))
  }

  private def exists(output: Path): SightlineException =
    SightlineException("OUTPUT_EXISTS", "output" -> output)
}
