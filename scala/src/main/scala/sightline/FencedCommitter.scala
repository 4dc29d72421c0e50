package sightline

import scala.util.Try

import org.apache.hadoop.fs.{FileSystem, Path}
import org.apache.hadoop.mapreduce.TaskAttemptContext
import org.apache.hadoop.mapreduce.lib.output.FileOutputCommitter

/**
 * Commits a task's files only while the run still owns the output.
 *
 * A store has no rename, so a task copies its files to the output. If the run fails meanwhile, another
 * run may begin there before the copy is done. So the owner is compared before the copies and after them;
 * files that came too late are deleted, also those of a task that Spark interrupts. If the owner cannot
 * be read afterwards, the files stay and the task fails: a new attempt writes files of the same names.
 *
 * @param output the folder that Spark writes
 */
final class FencedCommitter(output: Path, context: TaskAttemptContext)
    extends FileOutputCommitter(output, context) {

  import FencedCommitter.*

  override def commitTask(context: TaskAttemptContext): Unit = {
    val conf = context.getConfiguration
    val marker = new Path(conf.get(Marker))
    val fs = marker.getFileSystem(conf)
    def isOurs: Boolean = ObjectStore.read(fs, marker).contains(conf.get(Owner))
    if (!isOurs) throw lost
    val files = names(fs, getTaskAttemptPath(context))
    try super.commitTask(context)
    finally {
      // Spark interrupts the tasks of a failed job, but the store may still have made the copy.
      val interrupted = Thread.interrupted()
      try
        if (!isOurs) {
          files.foreach(name => Try(fs.delete(new Path(output, name), false)))
          throw lost
        }
      finally if (interrupted) Thread.currentThread.interrupt()
    }
  }

  private def lost: SightlineException = SightlineException(
    "OUTPUT_IN_USE",
    "output" -> output,
    "owner" -> "another run",
    "marker" -> ObjectStore.Marker,
  )

  /** The files below a folder, relative to it. */
  private def names(fs: FileSystem, folder: Path): Seq[String] =
    if (!fs.exists(folder)) Nil
    else {
      val found = fs.listFiles(folder, true)
      val root = fs.makeQualified(folder).toUri
      Iterator
        .continually(found)
        .takeWhile(_.hasNext)
        .map(files => root.relativize(files.next().getPath.toUri).getPath)
        .toSeq
    }
}

object FencedCommitter {

  private val Marker = "sightline.output.marker"
  private val Owner = "sightline.output.owner"

  /**
   * Spark's options for writing below an output in an object store.
   *
   * @param marker the file that identifies the owner
   * @param owner its content
   */
  def options(marker: Path, owner: String): Map[String, String] = {
    val name = classOf[FencedCommitter].getName
    Map(
      Marker -> marker.toString,
      Owner -> owner,
      "spark.sql.sources.outputCommitterClass" -> name,
      "spark.sql.parquet.output.committer.class" -> name,
    )
  }
}
