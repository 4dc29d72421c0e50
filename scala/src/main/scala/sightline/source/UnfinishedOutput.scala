package sightline.source

import org.apache.hadoop.fs.{FileSystem, Path}

import sightline.{ObjectStore, SightlineException}

/** Outputs in object stores that a run writes or has left unfinished. They have the file `_INCOMPLETE`. */
object UnfinishedOutput {

  val Marker: String = ObjectStore.Marker

  def marker(output: Path): Path = new Path(output, Marker)

  /**
   * Checks that a folder that is read is not an unfinished output.
   *
   * @throws SightlineException OUTPUT_INCOMPLETE
   */
  def refuse(fs: FileSystem, folder: Path): Unit =
    if (ObjectStore.is(fs) && fs.exists(marker(folder))) {
      throw SightlineException("OUTPUT_INCOMPLETE", "output" -> folder, "marker" -> Marker)
    }
}
