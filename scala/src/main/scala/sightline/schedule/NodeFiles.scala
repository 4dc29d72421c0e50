package sightline.schedule

import java.nio.file.{Files, Path}

import scala.collection.mutable
import scala.jdk.CollectionConverters.*
import scala.util.Using

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.sightline.SessionArchives

import sightline.model.{Bundle, Manifest, TemporaryFolder, ZipFolder}

/**
 * Ships folders to the nodes once for each session, under names made of their hashes.
 *
 * A worker finds them under its SparkFiles folder, so no path of the driver ever reaches it.
 */
object NodeFiles {

  // Spark's file server knows a name by one path: an archive that is made again lies there again.
  private lazy val archiveFolder = TemporaryFolder.create("ship")

  private val archives = mutable.Set.empty[String]

  // Each session has a folder of its own on the nodes.
  private val shipped = mutable.WeakHashMap.empty[SparkSession, mutable.Set[String]]

  /** @return the bundle's folder name on the nodes */
  def shipBundle(spark: SparkSession, bundle: Bundle): String = {
    val name = s"sightline-model-${bundle.sha256.take(32)}"
    ship(spark, name, bundle.folder, bundle.manifest.files.keys.toSeq :+ Manifest.FileName)
  }

  /** @return the folder name on the nodes that belongs on the worker's `sys.path` */
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

  // The files are looked for only when they are packed, not at every analysis of a query.
  private def ship(
      spark: SparkSession,
      name: String,
      folder: Path,
      files: => Seq[String],
  ): String =
    synchronized {
      val known = shipped.getOrElseUpdate(spark, mutable.Set.empty)
      if (!known(name)) {
        removeUnused()
        if (!archives(name)) {
          archive(name, folder, files)
          archives += name
        }
        SessionArchives.add(spark, s"${zipOf(name).toUri}#$name")
        known += name
      }
      name
    }

  private def zipOf(name: String): Path = archiveFolder.resolve(s"$name.zip")

  /**
   * Removes the archives that no living session has shipped: only a session's own tasks ask for
   * them. Spark itself removes what it unpacked for a session that is gone.
   */
  private def removeUnused(): Unit = {
    val used = shipped.valuesIterator.flatten.toSet
    archives.toSeq.filterNot(used).foreach { name =>
      Files.deleteIfExists(zipOf(name))
      archives -= name
    }
  }

  private def archive(name: String, folder: Path, files: Seq[String]): Unit =
    ZipFolder.write(folder, files.sorted, zipOf(name))
}
