package sightline.schedule

import java.nio.file.{Files, Path}

import scala.collection.mutable
import scala.jdk.CollectionConverters.*
import scala.util.Using

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.sightline.SessionArchives

import sightline.model.{Bundle, Manifest, TemporaryFolder, ZipFolder}

/**
 * Ships folders to the nodes once for each session. A folder's name on the nodes contains its hash.
 *
 * A worker finds the folders under its SparkFiles folder, so it needs no path of the driver.
 */
object ShippedArchives {

  // Spark's file server accepts only one path for a name, so an archive is always written to the same path.
  private lazy val archiveFolder = TemporaryFolder.create("ship")

  private val archives = mutable.Set.empty[String]

  // The names that each session has shipped; each session has its own folder on the nodes.
  private val shipped = mutable.WeakHashMap.empty[SparkSession, mutable.Set[String]]

  /**
   * Ships the bundle's files.
   *
   * @return the name of the bundle's folder on the nodes
   */
  def shipBundle(spark: SparkSession, bundle: Bundle): String = {
    val name = s"sightline-model-${bundle.sha256.take(32)}"
    ship(spark, name, bundle.folder, bundle.manifest.files.keys.toSeq :+ Manifest.FileName)
  }

  /**
   * Ships the Python package.
   *
   * @return the name of the folder on the nodes that the worker adds to `sys.path`
   */
  def shipPython(spark: SparkSession): String = {
    val name = s"sightline-python-${PythonSources.sha256.take(32)}"
    ship(spark, name, PythonSources.folder, pythonFiles)
  }

  private def pythonFiles: Seq[String] =
    Using.resource(Files.walk(PythonSources.folder)) {
      _.iterator.asScala
        .filter(_.toString.endsWith(".py"))
        .map(PythonSources.folder.relativize(_).toString)
        .toList
    }

  // `files` is by name, so that the files are listed only when they are packed, not at every analysis.
  private def ship(
      spark: SparkSession,
      name: String,
      folder: Path,
      files: => Seq[String],
  ): String =
    synchronized {
      val known = shipped.getOrElseUpdate(spark, mutable.Set.empty)
      if (!known(name)) {
        removeUnused(spark)
        if (!archives(name)) {
          archive(name, folder, files)
          archives += name
        }
        SessionArchives.add(spark, uriOf(name))
        known += name
      }
      name
    }

  /** The URI of the archive of a shipped folder, with the folder's name as its fragment. */
  private[schedule] def uriOf(name: String): String = s"${zipOf(name).toUri}#$name"

  private def zipOf(name: String): Path = archiveFolder.resolve(s"$name.zip")

  /**
   * Removes the archives that no living session has shipped. Spark itself removes what it unpacked
   * for a session that is gone.
   */
  private def removeUnused(spark: SparkSession): Unit = {
    val used = shipped.valuesIterator.flatten.toSet
    val context = spark.sparkContext
    // A session that runs another session's cached query has its archives, but no entry in `shipped`.
    archives.toSeq.filterNot(n => used(n) || SessionArchives.isUsed(context, uriOf(n))).foreach {
      name =>
        // A job without a session would ask for the file that is deleted.
        SessionArchives.remove(context, uriOf(name))
        Files.deleteIfExists(zipOf(name))
        archives -= name
    }
  }

  private def archive(name: String, folder: Path, files: Seq[String]): Unit =
    ZipFolder.write(folder, files.sorted, zipOf(name))
}
