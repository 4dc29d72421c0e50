package sightline.report

import java.nio.charset.StandardCharsets.UTF_8
import java.util.UUID
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicBoolean

import scala.util.{Try, Using}

import org.apache.hadoop.fs.{FileSystem, Path}

import sightline.source.UnfinishedOutput
import sightline.{ObjectStore, SightlineException}

/**
 * An output that is written to its final path, for object stores, where a rename is a copy.
 *
 * The file `_INCOMPLETE`, which identifies the run, is its first file and its last to disappear. A second
 * run cannot create it, and Sightline does not read a folder that has it. `_SUCCESS` follows all
 * other files, for other programs. An output that is replaced is deleted when the run begins to write.
 *
 * @param output fully qualified
 * @param overwrites whether the output may exist
 */
final private[report] class MarkedOutput(fs: FileSystem, output: Path, overwrites: Boolean)
    extends StagedOutput {

  private val isOurs = new AtomicBoolean(false)

  // The tasks compare it when they commit: see FencedCommitter.
  private val text = RunOwner.current.text(Some(UUID.randomUUID.toString))

  override val staging: Path = output

  override val owner: Path = UnfinishedOutput.marker(output)

  override def begin(): Unit = {
    if (!ObjectStore.create(fs, owner, text)) {
      throw MarkedOutput.inUse(fs, output)
    }
    isOurs.set(true)
    MarkedOutput.running.add(output): Unit
    val others = rest()
    if (others.nonEmpty && !overwrites) {
      // Another run published it in the meantime.
      end()
      throw Publication.exists(output)
    }
    remove(others)
  }

  override def beat(): Unit = if (!isLost) {
    Using.resource(fs.create(owner, true))(_.write(text.getBytes(UTF_8)))
  }

  override def publish(): Unit = {
    if (isLost) throw MarkedOutput.inUse(fs, output)
    fs.create(new Path(output, "_SUCCESS"), true).close()
  }

  // If the store does not answer, the marker stays, and a later run removes the rest.
  override def discard(): Unit = if (Try(isLost).getOrElse(true)) forget()
  else if (isOurs.get) {
    // If this fails, a later run of this process removes the rest.
    try remove(rest())
    finally MarkedOutput.running.remove(output): Unit
  }

  override def end(): Unit = if (isOurs.getAndSet(false)) {
    MarkedOutput.running.remove(output): Unit
    // Another run may have taken the output over since it was published.
    if (ObjectStore.read(fs, owner).contains(text)) MarkedOutput.finish(fs, output)
  }

  /** Whether another run has taken the output over, as that of a run that seemed to be dead. */
  private def isLost: Boolean = isOurs.get && !ObjectStore.read(fs, owner).contains(text)

  private def forget(): Unit = {
    isOurs.set(false)
    MarkedOutput.running.remove(output): Unit
  }

  private def rest(): Seq[Path] = fs.listStatus(output).toSeq.map(_.getPath).filterNot(_ == owner)

  // `_SUCCESS` first, so that no program reads an output of which a part is deleted.
  private def remove(paths: Seq[Path]): Unit =
    paths.sortBy(_.getName != "_SUCCESS").foreach(path => fs.delete(path, true): Unit)
}

private[report] object MarkedOutput {

  /** The outputs that this process writes: another command of the process may have failed. */
  private val running = ConcurrentHashMap.newKeySet[Path]()

  /**
   * Removes the output of a run that has ended without publishing it.
   *
   * @return a message if there was one
   * @throws SightlineException OUTPUT_IN_USE if the run may be running
   */
  def settle(fs: FileSystem, output: Path): Option[String] = {
    val marker = UnfinishedOutput.marker(output)
    Option.when(fs.exists(marker)) {
      val isOver = RunOwner.read(fs, marker).exists { owner =>
        if (owner == RunOwner.current) !running.contains(output)
        else KilledRuns.hasEnded(fs, marker, owner)
      }
      if (!isOver) throw inUse(fs, output)
      if (fs.exists(new Path(output, "_SUCCESS"))) {
        // The run ended after it had published, or before it removed the output that it replaces.
        finish(fs, output)
        s"$output is complete: the marker of a run that was killed is removed from it."
      } else {
        // The marker last: until then the rest is not read.
        fs.listStatus(output).map(_.getPath).filterNot(_ == marker).foreach(fs.delete(_, true))
        finish(fs, output)
        s"$output is removed: a run that has failed or was killed had left it half written."
      }
    }
  }

  /** Deletes the marker, and the folder if it is empty: connectors keep empty folders. */
  private def finish(fs: FileSystem, output: Path): Unit = {
    fs.delete(UnfinishedOutput.marker(output), false): Unit
    if (fs.exists(output) && fs.listStatus(output).isEmpty) fs.delete(output, false): Unit
  }

  private def inUse(fs: FileSystem, output: Path): SightlineException =
    SightlineException(
      "OUTPUT_IN_USE",
      "output" -> output,
      "owner" -> RunOwner
        .read(fs, UnfinishedOutput.marker(output))
        .fold("another run")(_.toString),
      "marker" -> UnfinishedOutput.Marker,
    )
}
