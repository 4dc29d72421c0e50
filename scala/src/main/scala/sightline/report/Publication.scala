package sightline.report

import java.io.IOException
import java.util.UUID
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.{Executors, TimeUnit}

import scala.util.Try

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path}
import org.apache.hadoop.util.ShutdownHookManager

import sightline.source.{Place, ReplacedFolder}
import sightline.{ErrorTranslation, SightlineException}

/**
 * An output folder that appears whole or not at all: written beside its place, then renamed.
 *
 * Where a rename is one step (local, HDFS) a killed run leaves the old result or the new one; what it
 * leaves beside them the next run to the same output settles. Object stores copy, so there a reader
 * may meet the moment between.
 *
 * @param replaces what publishing would delete, in which nothing that the run reads may lie
 */
final class Publication private (
    fs: FileSystem,
    output: Path,
    val replaces: Option[ReplacedFolder],
) {

  private val id = UUID.randomUUID.toString.take(8)
  private val owner = Leftovers.owner(output, id)
  private val isOver = new AtomicBoolean(false)
  private val beat = Executors.newSingleThreadScheduledExecutor { task =>
    val thread = new Thread(task, "sightline-publication")
    thread.setDaemon(true)
    thread
  }
  // Ends with the process what Ctrl-C or SIGTERM has cut short.
  private val hook = new Thread(() => discard())

  /** Where to write; Spark would not read a name that starts with a dot. */
  val staging: Path = Leftovers.staging(output, id)

  /**
   * Runs `write`, which fills [[staging]] and publishes it; what is not published then is removed.
   *
   * @throws SightlineException OUTPUT_NOT_WRITABLE
   */
  def apply[A](write: => A): A = {
    begin()
    try write
    finally discard()
  }

  /** Puts the staged folder in its place. */
  def publish(): Unit = synchronized {
    val old = Leftovers.replaced(output, id)
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

  /** Removes what was staged and is not published. */
  def discard(): Unit = synchronized {
    if (!isOver.get) {
      fs.delete(staging, true): Unit
      end()
    }
  }

  /**
   * Makes sure that only what a run has written is replaced.
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
      Leftovers.BeatSeconds,
      Leftovers.BeatSeconds,
      TimeUnit.SECONDS,
    ): Unit
  }

  private def end(): Unit = {
    isOver.set(true)
    beat.shutdownNow(): Unit
    beat.awaitTermination(1, TimeUnit.MINUTES): Unit
    Try(ShutdownHookManager.get.removeShutdownHook(hook)): Unit
    // The last, for it says whose the others are.
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

  /** After Spark has stopped, before Hadoop's file systems are closed. */
  private val HookPriority = FileSystem.SHUTDOWN_HOOK_PRIORITY + 10

  /**
   * Settles what killed runs have left beside the output, and tells it; writes nothing itself.
   *
   * @param inputs what the run reads, which replacing `output` must not remove
   * @param tables those of the inputs that are read whole, in which no output may lie
   * @throws SightlineException OUTPUT_EXISTS when there is something at `output` already,
   *   OUTPUT_HOLDS_INPUT when it holds an input, OUTPUT_IN_INPUT when it lies in a table of the
   *   inputs, OUTPUT_NOT_WRITABLE
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
    Leftovers.settle(fs, qualified).foreach(line => System.err.println(s"sightline: $line"))
    val folder = Place.of(qualified, hadoop).map(ReplacedFolder(output, _))
    folder.foreach { replaced =>
      inputs.foreach(replaced.spare(_, hadoop))
      tables.foreach(replaced.requireOutside(_, hadoop))
    }
    if (!overwrite && fs.exists(qualified)) throw exists(path)
    new Publication(fs, qualified, folder.filter(_ => overwrite))
  }

  private def exists(output: Path): SightlineException =
    SightlineException("OUTPUT_EXISTS", "output" -> output)
}
