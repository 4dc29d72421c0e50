package sightline.report

import org.apache.hadoop.fs.{FileSystem, Path}

import sightline.SightlineException

/** What `--overwrite` may delete: the output of an earlier run, or an empty folder. */
private[report] object WrittenOutput {

  /** @throws SightlineException OUTPUT_NOT_OURS when something else is at `output` */
  def require(fs: FileSystem, output: Path): Unit =
    if (fs.exists(output) && !isWritten(fs, output)) {
      throw SightlineException("OUTPUT_NOT_OURS", "output" -> output)
    }

  private def isWritten(fs: FileSystem, output: Path): Boolean = {
    def has(name: String): Boolean = fs.exists(new Path(output, name))
    fs.getFileStatus(output).isDirectory && (
      fs.listStatus(output).isEmpty ||
        has(RunRecord.InDataFolder) ||
        // The outputs of pca and evaluate.
        (has("run.json") && (has("components") || has("metrics.json")))
    )
  }
}
