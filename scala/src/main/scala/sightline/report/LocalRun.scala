package sightline.report

import java.nio.file.Files

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path

/** A run's folder where Python can work on it: on the driver's disk. */
object LocalRun {

  /**
   * Hands `use` the folder itself where it is local; elsewhere a copy of what is needed, and copies
   * back what was made.
   *
   * @param folder of the run, at any Hadoop URI
   * @param needed names of files and folders in it; those that are not there are passed over
   * @param made names of the files that `use` makes
   */
  def apply[A](folder: Path, hadoop: Configuration, needed: Seq[String], made: Seq[String])(
      use: String => A
  ): A = {
    val fs = folder.getFileSystem(hadoop)
    val qualified = fs.makeQualified(folder)
    if (qualified.toUri.getScheme == "file") use(qualified.toUri.getPath)
    else {
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
