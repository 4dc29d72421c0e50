package sightline.source

import java.nio.file.{Files, Paths}

import scala.util.Try

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path}
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.api.java.UDF1
import org.apache.spark.sql.functions.udf
import org.apache.spark.sql.types.BooleanType
import org.apache.spark.util.SerializableConfiguration

import sightline.SightlineException

/**
 * A folder that a run replaces, and so deletes. It must not contain input of the run.
 *
 * @param output the folder as the user wrote it
 */
final case class ReplacedFolder(output: String, place: Place) {

  /** @throws SightlineException OUTPUT_HOLDS_INPUT if the folder contains `location`, an input */
  def requireWithout(location: String, hadoop: Configuration): Unit =
    if (Place.of(new Path(location), hadoop).exists(_.isIn(place))) throw holds(location)

  /**
   * Checks listed files, with links resolved.
   *
   * @throws SightlineException OUTPUT_HOLDS_INPUT if the folder contains one of the files
   */
  def requireWithout(files: IndexedSeq[ImageFile], hadoop: Configuration): Unit = {
    val folders =
      files.iterator.map(_.folder).distinct.map(folder => folder -> placeOf(folder, hadoop)).toMap
    files.find(file => folders(file.folder).exists(holds(file, _))).foreach { file =>
      throw holds(file.path)
    }
  }

  /**
   * Checks the files that a table names.
   *
   * @param paths a frame with one column of paths; relative ones start from `root`
   * @throws SightlineException OUTPUT_HOLDS_INPUT if the folder contains one of the files
   */
  def requireWithout(paths: DataFrame, root: String): Unit = {
    val spark = paths.sparkSession
    val hadoop =
      spark.sparkContext.broadcast(
        new SerializableConfiguration(spark.sessionState.newHadoopConf())
      )
    val isIn = udf(new IsNamedIn(place, root, hadoop), BooleanType)
    paths
      .where(isIn(Columns.quoted(paths.columns.head)))
      .head(1)
      .headOption
      .foreach(row => throw holds(row.getString(0)))
  }

  /** @throws SightlineException OUTPUT_IN_INPUT if the folder is inside `table`, a table or model */
  def requireOutside(table: String, hadoop: Configuration): Unit =
    if (Place.of(new Path(table), hadoop).exists(place.isIn)) {
      throw SightlineException("OUTPUT_IN_INPUT", "output" -> output, "input" -> table)
    }

  /**
   * Checks that the folder may be deleted: it does not exist, is empty or is the output of a run.
   *
   * @param path the folder, fully qualified
   * @throws SightlineException OUTPUT_NOT_OURS otherwise
   */
  def requireWritten(fs: FileSystem, path: Path): Unit = {
    def isReplaceable: Boolean =
      fs.getFileStatus(path).isDirectory && FolderEntry.remote(fs, path).isReplaceable
    if (fs.exists(path) && !isReplaceable) {
      throw SightlineException("OUTPUT_NOT_OURS", "output" -> path)
    }
  }

  private def placeOf(folder: ImageFolder, hadoop: Configuration): Option[Place] =
    if (folder.path.startsWith("/")) Place.ofLocal(folder.path)
    else Place.of(new Path(folder.path), hadoop)

  private def holds(file: ImageFile, folder: Place): Boolean =
    folder.isIn(place) || folder.child(file.name).isIn(place) ||
      (isLink(file) && Place.ofLocal(file.path).exists(_.isIn(place)))

  private def isLink(file: ImageFile): Boolean =
    file.folder.path.startsWith("/") &&
      Try(Files.isSymbolicLink(Paths.get(file.path))).getOrElse(false)

  private def holds(input: String): SightlineException =
    SightlineException("OUTPUT_HOLDS_INPUT", "output" -> output, "input" -> input)
}

/** Whether a path of a table is inside `folder`; relative paths start from `root`. */
final private class IsNamedIn(
    folder: Place,
    root: String,
    hadoop: Broadcast[SerializableConfiguration],
) extends UDF1[String, java.lang.Boolean] {

  override def call(path: String): java.lang.Boolean =
    Option(path).filter(_.nonEmpty).exists { named =>
      ImagePathReader
        .resolve(root, named)
        .toOption
        .flatMap(Place.of(_, hadoop.value.value))
        .exists(_.isIn(folder))
    }
}
