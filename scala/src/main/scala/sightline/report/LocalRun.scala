package sightline.report

import java.nio.file.Files

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path

import sightline.LocalFiles

/** Makes a run's folder available to Python on the driver's disk. */
object LocalRun {

  /**
   * Calls `use` with the path of the folder if it is local, else with the path of a local copy.
   *
   * @param folder the run's folder, at any Hadoop URI
   * @param needed names of files and folders to copy; names that do not exist are skipped
   * @param made names of the files that `use` creates, to copy back
   */
  def apply[A](folder: Path, hadoop: Configuration, needed: Seq[String], made: Seq[String])(
      use: String => A
  ): A = {
    val fs = folder.getFileSystem(hadoop)
    val qualified = fs.makeQualified(folder)
    LocalFiles.of(qualified).map(path => use(path.toString)).getOrElse {
      val copy = new Path(Files.createTempDirectory("sightline-run-").toUri)
      val local = copy.getFileSystem(hadoop)
      try {
        needed.map(new Path(qualified, _)).filter(fs.exists).foreach { path =>
          fs.copyToLocalFile(path, new Path(copy, path.getName))
        }
        val result = use(copy.toUri.getPath)
        made.map(new Path(copy, _)).filter(local.exists).foreach { path =>
          fs.copyFromLocalFile(path, new Path(qualified, path.getName))
        }
        result
      } finally local.delete(copy, true): Unit
    }
  }
}
