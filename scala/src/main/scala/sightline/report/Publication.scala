package sightline.report

import java.io.IOException
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicBoolean

import scala.util.{Try, Using}

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path}
import org.apache.hadoop.util.ShutdownHookManager

import sightline.source.{Place, ReplacedFolder}
import sightline.{ErrorTranslation, ObjectStore, SightlineException}

/**
 * An output folder that is used only when it is complete.
 *
 * On file systems with an atomic rename (local, HDFS) it is written beside its final path and then
 * renamed: a killed run leaves either the old result or the new one. In object stores it is written
 * to its final path, and marked as incomplete until it is complete. The next run to the same output
 * removes the files of a killed one.
 *
 * @param replaces the folder that publishing deletes; None unless the run may overwrite
 */
final class Publication private (
    fs: FileSystem,
    output: Path,
    val replaces: Option[ReplacedFolder],
) {

  private val staged: StagedOutput =
    if (ObjectStore.is(fs)) new MarkedOutput(fs, output, replaces.isDefined)
    else new RenamedOutput(fs, output, replaces.isDefined)

  private val isOver = new AtomicBoolean(false)
  private val beat = DaemonTimer.start("sightline-publication")
  // Removes the unfinished output if Ctrl-C or SIGTERM ends the process.
  private val hook = new Thread(() => discard())

  /** The folder to write to. */
  val staging: Path = staged.staging

  /**
   * Runs `write`, which fills [[staging]] and calls [[publish]]. An output that is not published is
   * removed.
   *
   * @throws SightlineException OUTPUT_NOT_WRITABLE, or OUTPUT_IN_USE in an object store
   */
  def apply[A](write: => A): A = {
    begin()
    // As a resource: if the storage has failed, its first error is thrown and not that of discarding.
    Using.resource(this)(_ => write)(p => p.discard())
  }

  /** Makes the output visible, as a whole. */
  def publish(): Unit = synchronized {
    staged.publish()
    end()
  }

  /** Removes what was written if it has not been published. */
  def discard(): Unit = synchronized {
    if (!isOver.get) {
      try staged.discard()
      catch {
        case error: IOException =>
          stop()
          throw error
      }
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
    try staged.begin()
    catch {
      case error: IOException =>
        stop()
        throw SightlineException(
          "OUTPUT_NOT_WRITABLE",
          "path" -> output.getParent,
          "reason" -> ErrorTranslation.firstLine(error),
        )
      case error: SightlineException =>
        stop()
        throw error
    }
    beat.scheduleAtFixedRate(
      () => Try(staged.beat()): Unit,
      KilledRuns.BeatSeconds,
      KilledRuns.BeatSeconds,
      TimeUnit.SECONDS,
    ): Unit
  }

  private def stop(): Unit = {
    isOver.set(true)
    beat.shutdownNow(): Unit
    beat.awaitTermination(1, TimeUnit.MINUTES): Unit
    Try(ShutdownHookManager.get.removeShutdownHook(hook)): Unit
  }

  private def end(): Unit = {
    stop()
    // Last, because it identifies the owner of the other files.
    staged.end()
  }
}

object Publication {

  /** After Spark stops, before Hadoop closes its file systems. */
  private val HookPriority = FileSystem.SHUTDOWN_HOOK_PRIORITY + 10

  /**
   * Checks the output and handles files that killed runs left; creates nothing.
   *
   * @param inputs locations that the run reads, which the output must not contain
   * @param tables inputs whose files are all read, so that the output must not be in them
   * @throws SightlineException OUTPUT_EXISTS if `output` exists and `overwrite` is false,
   *   OUTPUT_HOLDS_INPUT, OUTPUT_IN_INPUT, OUTPUT_NOT_WRITABLE, OUTPUT_IN_USE
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
    val found =
      if (ObjectStore.is(fs)) MarkedOutput.settle(fs, qualified).toSeq
      else KilledRuns.settle(fs, qualified)
    found.foreach(line => System.err.println(s"sightline: $line"))
    val folder = Place.of(qualified, hadoop).map(ReplacedFolder(output, _))
    folder.foreach { replaced =>
      inputs.foreach(replaced.requireWithout(_, hadoop))
      tables.foreach(replaced.requireOutside(_, hadoop))
    }
    if (!overwrite && fs.exists(qualified)) throw exists(path)
    new Publication(fs, qualified, folder.filter(_ => overwrite))
  }

  private[report] def exists(output: Path): SightlineException =
    SightlineException("OUTPUT_EXISTS", "output" -> output)
}
