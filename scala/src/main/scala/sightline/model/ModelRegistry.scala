package sightline.model

import java.nio.file.Files
import java.time.temporal.ChronoUnit
import java.time.{Duration, Instant}
import java.util.UUID

import scala.util.Try
import scala.util.control.NonFatal

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileStatus, Path}

import sightline.SightlineException

/**
 * The models that CREATE MODEL made under a models root, with their versions.
 *
 * {{{
 * ROOT/_models/NAME@000002.json    a version: written last, atomically
 * ROOT/_models/NAME@UUID.zip       the bundle of one version, which names this file
 * }}}
 *
 * A model's newest version has the highest number. The registry writes and removes no other files;
 * bundles that users put under the root are in folders beside `_models`. A version belongs to the
 * statement that writes its file first, so only one of two statements that create the same model at
 * the same time succeeds. Every version has its own bundle file, so DROP MODEL cannot remove the
 * bundle of a version that is written while it runs.
 *
 * @param root a folder at any URI
 * @param resolver whether two names are the same: `spark.sql.caseSensitive`
 */
final class ModelRegistry(
    root: Path,
    hadoop: Configuration,
    resolver: (String, String) => Boolean,
) {

  import ModelRegistry.*

  private val folder = new Path(root, FolderName)
  private val storage = new ModelsRoot(root, hadoop)

  /** The file of every model's newest version, sorted by name. */
  def newest: Seq[VersionFile] =
    versionFiles.groupBy(_.name).values.map(_.maxBy(_.number)).toSeq.sortBy(_.name)

  /**
   * The files of a model's versions, the oldest first; none if there is no such model.
   *
   * @throws SightlineException AMBIGUOUS_MODEL, MODELS_ROOT_UNUSABLE
   */
  def versions(name: String): Seq[VersionFile] =
    if (!ModelName.isValid(name)) Nil
    else {
      val files = versionFiles
      ModelName
        .resolve(name, files.map(_.name).distinct, resolver)
        .fold(Seq.empty[VersionFile])(own => files.filter(_.name == own))
        .sortBy(_.number)
    }

  /**
   * The content of a version's file; None if the model was dropped after the file was listed.
   *
   * @throws SightlineException MODEL_VERSION_UNREADABLE with the file, or MODELS_ROOT_UNUSABLE
   */
  def read(file: VersionFile): Option[ModelVersion] = storage.read(file.path).map { json =>
    Try(ModelVersion.parse(json))
      .filter(version => version.number == file.number && isBundleOf(file.name, version.bundle))
      .getOrElse {
        throw SightlineException(
          "MODEL_VERSION_UNREADABLE",
          "model" -> file.name,
          "version" -> file.number,
          "path" -> file.path,
          "reason" -> (if (json.isBlank) "is empty" else "is not a version file"),
        )
      }
  }

  /**
   * A version with its bundle, copied to this machine and verified; None if there is no such model.
   *
   * @param number the version; None: the newest
   * @throws SightlineException UNKNOWN_VERSION, MODEL_VERSION_UNREADABLE, BUNDLE_CORRUPT,
   *   AMBIGUOUS_MODEL or MODELS_ROOT_UNUSABLE
   */
  def find(name: String, number: Option[Int]): Option[FoundModel] = {
    val files = versions(name)
    files.lastOption.flatMap { newest =>
      val wanted = number.getOrElse(newest.number)
      val file = files.find(_.number == wanted).getOrElse {
        throw SightlineException(
          "UNKNOWN_VERSION",
          "model" -> name,
          "version" -> wanted,
          "known" -> files.map(_.number),
        )
      }
      read(file)
        .flatMap { version =>
          open(file, version).map(FoundModel(_, Some(wanted), version.options))
        }
        // The model was dropped after it was listed: list again.
        .orElse(find(name, number))
    }
  }

  /**
   * Checks that a model of this name can be created here, before the work of verifying its bundle.
   *
   * @throws SightlineException WRONG_MODEL_NAME, MODELS_ROOT_UNUSABLE
   */
  def prepare(name: String): Unit = {
    ModelName.requireValid(name)
    storage.createFolder(folder)
  }

  /**
   * Makes `bundle` the newest version.
   *
   * @param replaces whether the model may exist already
   * @return the version's file and its content
   * @throws SightlineException MODEL_EXISTS, WRONG_MODEL_NAME, AMBIGUOUS_MODEL, MODELS_ROOT_UNUSABLE
   */
  def create(
      name: String,
      bundle: Bundle,
      source: String,
      comment: Option[String],
      options: Map[String, String],
      replaces: Boolean,
  ): (VersionFile, ModelVersion) = {
    prepare(name)
    val own = versions(name).headOption.fold(ModelName.stored(name, resolver))(_.name)
    val zip = s"$own@${UUID.randomUUID.toString.replace("-", "")}.zip"
    upload(bundle, new Path(folder, zip))
    val created = Instant.now.truncatedTo(ChronoUnit.SECONDS)
    // If another statement writes the next version first, this one takes the number after it.
    Iterator
      .continually {
        val next = versions(own).lastOption.fold(1)(_.number + 1)
        if (next > 1 && !replaces) {
          storage.delete(new Path(folder, zip))
          throw exists(own)
        }
        val version = ModelVersion(next, bundle, source, created, comment, options, zip)
        val file = VersionFile(own, next, new Path(folder, f"$own@$next%06d.json"))
        // If this fails, the bundle is kept, because the version may have been written nevertheless.
        Option.when(storage.writeNew(file.path, version.toJson))((file, version))
      }
      .flatten
      .next()
  }

  /** Removes a model with all its versions: the files that [[create]] wrote, and no others. */
  def drop(name: String): Unit = {
    val files = versions(name)
    val bundles = files.flatMap(file => Try(read(file)).toOption.flatten).map(_.bundle)
    // The newest version last: until then the name refers to the same version as before.
    files.foreach(file => storage.delete(file.path))
    bundles.foreach(zip => storage.delete(new Path(folder, zip)))
    files.headOption.foreach(file => removeAbandoned(file.name))
  }

  /** Removes files of CREATE MODEL statements that were killed, and of unreadable versions. */
  private def removeAbandoned(name: String): Unit = {
    val longAgo = Instant.now.minus(Abandoned).toEpochMilli
    listed
      .filter(_.getModificationTime < longAgo)
      .map(_.getPath)
      .filter(path => isBundleOf(name, path.getName) || path.getName.startsWith(s".$name@"))
      .foreach(storage.delete)
  }

  private def versionFiles: Seq[VersionFile] = listed.map(_.getPath).flatMap { path =>
    Option(path.getName).collect { case Version(name, number) =>
      VersionFile(name, number.toInt, path)
    }
  }

  private def listed: Seq[FileStatus] = {
    val found = storage.list(folder)
    if (found.isEmpty) storage.requireFolder()
    found
  }

  /** The verified bundle of a version; None if the model was dropped in the meantime. */
  private def open(file: VersionFile, version: ModelVersion): Option[Bundle] = {
    val zip = new Path(folder, version.bundle)
    try {
      if (!storage.exists(zip)) throw corrupt(file, s"its bundle '$zip' is missing")
      val bundle = Bundle.open(storage.localBundle(zip))
      if (bundle.sha256 != version.sha256) {
        val found = bundle.sha256.take(12)
        throw corrupt(file, s"its bundle '$zip' has sha256 $found, not ${version.sha256.take(12)}")
      }
      Some(bundle)
    } catch {
      // The file may exist again, written by another version of the same number.
      case NonFatal(_) if !Try(read(file)).toOption.flatten.contains(version) => None
    }
  }

  private def corrupt(file: VersionFile, why: String): SightlineException =
    SightlineException(
      "BUNDLE_CORRUPT",
      "bundle" -> s"version ${file.number} of model '${file.name}'",
      "reason" -> why,
      "hint" -> "Create the model again with CREATE OR REPLACE MODEL.",
    )

  private def upload(bundle: Bundle, target: Path): Unit = {
    val zip = bundle.zip()
    try storage.upload(zip, target)
    catch {
      case error: SightlineException =>
        Try(storage.delete(target)): Unit
        throw error
    } finally { Files.deleteIfExists(zip): Unit }
  }
}

object ModelRegistry {

  /** Names of models begin with a letter or digit, so no bundle's folder has this name. */
  private val FolderName = "_models"

  /** The age of a file from which no running CREATE MODEL can still need it. */
  private val Abandoned = Duration.ofDays(1)

  private val Version = """([^@]+)@(\d{6})\.json""".r

  /** @throws SightlineException NO_MODELS_ROOT if there is no root */
  def open(
      root: Option[String],
      hadoop: Configuration,
      resolver: (String, String) => Boolean,
  ): ModelRegistry =
    root.map(path => new ModelRegistry(new Path(path), hadoop, resolver)).getOrElse {
      throw SightlineException("NO_MODELS_ROOT")
    }

  private def isBundleOf(name: String, file: String): Boolean =
    file.startsWith(s"$name@") && file.stripPrefix(s"$name@").matches("[0-9a-f]{32}\\.zip")

  /** The error MODEL_EXISTS. */
  def exists(name: String): SightlineException =
    SightlineException(
      "MODEL_EXISTS",
      "model" -> name,
      "hint" -> "Use CREATE OR REPLACE MODEL for a new version, or IF NOT EXISTS.",
    )
}
