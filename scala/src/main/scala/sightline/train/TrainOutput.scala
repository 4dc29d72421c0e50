package sightline.train

import java.nio.charset.StandardCharsets.UTF_8

import scala.util.Using

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path}

import sightline.report.WritableOutput
import sightline.source.{ImageRequest, Place, ReplacedFolder}
import sightline.{LocalFiles, SightlineException}

/**
 * The folder of a training run. Unlike other outputs it is written in place: a run that was killed
 * continues there.
 *
 * @param location the folder as the user wrote it, a path or URI
 */
final class TrainOutput(location: String, start: TrainOutput.Start, hadoop: Configuration) {

  import TrainOutput.*

  private val written = new Path(location)
  private val fs: FileSystem = written.getFileSystem(hadoop)

  /** The folder, fully qualified. */
  val path: Path = fs.makeQualified(written)

  /** The folder for Python: an absolute path if it is local, else a URI. */
  val text: String = LocalFiles.shown(path)

  val samples: String = s"$text/samples"

  /** The folder of TensorBoard's files, if the user gives no other. */
  val tensorboard: String = s"$text/$TensorBoard"

  /**
   * Checks the output against `start`; changes nothing.
   *
   * @param images the listed images, which the output must not contain; None for a DataFrame's
   * @throws SightlineException NO_CHECKPOINT if there is no run to resume; OUTPUT_EXISTS,
   *   OUTPUT_NOT_OURS, OUTPUT_HOLDS_INPUT, OUTPUT_IN_INPUT or OUTPUT_NOT_WRITABLE
   */
  def check(images: Option[ImageRequest]): Unit = {
    WritableOutput.require(fs, path)
    val isOurs = fs.exists(new Path(path, SettingsFile))
    start match {
      case Resume =>
        if (!isOurs) {
          throw SightlineException(
            "NO_CHECKPOINT",
            "detail" -> s"$location is no run of train: nothing to resume.",
          )
        }
      case Replace => ()
      case New =>
        if (fs.exists(path)) throw SightlineException("OUTPUT_EXISTS", "output" -> written)
    }
    if (start != Resume) {
      Place.of(path, hadoop).map(ReplacedFolder(location, _)).foreach { folder =>
        images.toSeq.flatMap(_.inputs).foreach(folder.requireWithout(_, hadoop))
        images.toSeq.flatMap(_.tables).foreach(folder.requireOutside(_, hadoop))
      }
    }
    if (start == Replace) {
      val others = names.filterNot(OfRun)
      // A run that was killed before it had saved its options has left no more than these.
      if (others.nonEmpty || (!isOurs && names.exists(_ != StartWeights))) {
        throw SightlineException("OUTPUT_NOT_OURS", "output" -> location)
      }
    }
  }

  /**
   * Runs `use` with the text of the owner file while this process owns the run.
   *
   * @throws SightlineException RUN_IN_USE, OUTPUT_NOT_WRITABLE
   */
  def held[A](use: String => A): A = new RunLock(fs, path)(use)

  /** The place of an existing output that is replaced, which must hold no image. */
  def replaces: Option[ReplacedFolder] =
    if (start == Replace) Place.of(path, hadoop).map(ReplacedFolder(location, _)) else None

  /**
   * Removes the run that is replaced, but not the start weights that the checks have just written nor
   * the owner file, and saves the options.
   */
  def open(options: String): Unit = {
    if (start == Replace) {
      // And not what a user has put there since the check.
      names.filter(OfRun - StartWeights).foreach { name =>
        fs.delete(new Path(path, name), true): Unit
      }
    }
    Using.resource(fs.create(new Path(path, SettingsFile), true))(_.write(options.getBytes(UTF_8)))
  }

  /** Removes an output whose images were refused before one was opened, so that it can be used again. */
  def discard(): Unit = if (start == New) {
    // And not what a user has put there since the check. The lock removes the folder if it is empty.
    names.filter(OfRun).foreach(name => fs.delete(new Path(path, name), true): Unit)
  }

  /** Whether the samples are complete, from the run that is resumed. */
  def hasSamples: Boolean = fs.exists(new Path(s"$samples/${SampleShards.Index}"))

  /** The names in the folder, without those of the lock. */
  private def names: Seq[String] =
    if (fs.exists(path))
      fs.listStatus(path).toSeq.map(_.getPath.getName).filterNot(RunLock.isOwn)
    else Nil
}

object TrainOutput {

  /** The options of the run; Python's `train` writes and reads the same file. */
  val SettingsFile = "train.yaml"

  private val StartWeights = "start.safetensors"

  private val TensorBoard = "tensorboard"

  /** What a run writes into its output, so what `--overwrite` may delete; as in Python's run_steps. */
  private val OfRun = Set(
    StartWeights,
    SettingsFile,
    "history.json",
    "evaluation.json",
    "model_card.md",
    "report.html",
    "run.json",
    "models",
    "samples",
    "checkpoints",
    TensorBoard,
  )

  /** What happens if the output exists. */
  sealed trait Start
  case object New extends Start
  case object Replace extends Start
  case object Resume extends Start
}
