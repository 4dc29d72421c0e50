package sightline.model

import java.io.FileNotFoundException
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path as LocalPath}
import java.time.temporal.ChronoUnit
import java.time.{Duration, Instant}
import java.util.zip.{ZipEntry, ZipOutputStream}
import java.util.{Locale, UUID}

import scala.util.control.NonFatal
import scala.util.{Try, Using}

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileStatus, FileSystem, Path}

import sightline.{ErrorTranslation, SightlineException}

/**
 * The models that CREATE MODEL made under a root at any URI, each in versions.
 *
 * {{{
 * ROOT/_models/NAME@000002.json    a version: written last, and whole or not at all
 * ROOT/_models/NAME@UUID.zip       the bundle of one version, which names this file
 * }}}
 *
 * The highest version is the model. No other file is written or removed: bundles that people put
 * under the root have folders beside `_models`. Whoever writes a version's file first has made the
 * version, so of two statements that create the same model at once one wins. Every version has a
 * bundle file of its own, so DROP MODEL cannot remove the bundle of a version that is written while
 * it runs.
 *
 * @param resolver whether two names are the same: `spark.sql.caseSensitive`
 */
final class ModelRegistry(root: Path, hadoop: Configuration, resolver: (String, String) => Boolean) {

  import ModelRegistry.*

  private val folder = new Path(root, FolderName)
  private lazy val fs: FileSystem = root.getFileSystem(hadoop)

  /** The newest version's file of every model, sorted by name. */
  def newest: Seq[VersionFile] =
    versionFiles.groupBy(_.name).values.map(_.maxBy(_.number)).toSeq.sortBy(_.name)

  /**
   * The files of a model's versions, the oldest first; none if there is no such model.
   *
   * @throws SightlineException AMBIGUOUS_MODEL, MODELS_ROOT_UNUSABLE
   */
  def versions(name: String): Seq[VersionFile] =
    if (!isName(name)) Nil
    else {
      val files = versionFiles
      sameName(name, files.map(_.name).distinct, resolver)
        .fold(Seq.empty[VersionFile])(own => files.filter(_.name == own))
        .sortBy(_.number)
    }

  /**
   * What a version's file holds; None if the model was dropped since the file was listed.
   *
   * @throws SightlineException MODEL_VERSION_UNREADABLE with the file, or MODELS_ROOT_UNUSABLE
   */
  def read(file: VersionFile): Option[ModelVersion] = text(file.path).map { json =>
    Try(ModelVersion.parse(json))
      .filter(version => version.number == file.number && isBundleOf(file.name, version.bundle))
      .getOrElse {
        throw SightlineException(
          "MODEL_VERSION_UNREADABLE",
          "model" -> file.name,
          "version" -> file.number,
          "path" -> file.path,
          "reason" -> (if (json.isBlank) "is empty" else "is no version file"),
        )
      }
  }

  /**
   * A version with its bundle, copied to this machine and checked; None if there is no such model.
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
        // Dropped since it was listed: what is there now counts.
        .orElse(find(name, number))
    }
  }

  /**
   * Makes sure that models can be created here, before the work of checking one.
   *
   * @throws SightlineException WRONG_MODEL_NAME, MODELS_ROOT_UNUSABLE
   */
  def prepare(name: String): Unit = {
    requireName(name)
    // Some file systems say false, others throw.
    if (!reached(fs.mkdirs(folder))) throw unusable(s"folder '$folder' cannot be made")
  }

  /**
   * Makes `bundle` the newest version.
   *
   * @param replaces whether there may be a version already
   * @return the version's file and what it holds
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
    val own = versions(name).headOption.fold(nameOfNew(name))(_.name)
    val zip = s"$own@${UUID.randomUUID.toString.replace("-", "")}.zip"
    upload(bundle, new Path(folder, zip))
    val created = Instant.now.truncatedTo(ChronoUnit.SECONDS)
    // Somebody else may make the next version first; then ours is the one after.
    Iterator
      .continually {
        val next = versions(own).lastOption.fold(1)(_.number + 1)
        if (next > 1 && !replaces) {
          remove(new Path(folder, zip))
          throw exists(own)
        }
        val version = ModelVersion(next, bundle, source, created, comment, options, zip)
        val file = VersionFile(own, next, new Path(folder, f"$own@$next%06d.json"))
        // Where it fails, the bundle stays: the version may have been written all the same.
        val wrote = reached(NewFile.write(file.path, version.toJson, hadoop))
        Option.when(wrote)((file, version))
      }
      .flatten
      .next()
  }

  /** Removes a model with all its versions: the files that [[create]] wrote, and no other. */
  def drop(name: String): Unit = {
    val files = versions(name)
    val bundles = files.flatMap(file => Try(read(file)).toOption.flatten).map(_.bundle)
    // The newest last: until then the name means what it meant.
    files.foreach(file => remove(file.path))
    bundles.foreach(zip => remove(new Path(folder, zip)))
    files.headOption.foreach(file => removeAbandoned(file.name))
  }

  /** What a CREATE MODEL left that was killed, or whose version cannot be read. */
  private def removeAbandoned(name: String): Unit = {
    val longAgo = Instant.now.minus(Abandoned).toEpochMilli
    listed
      .filter(_.getModificationTime < longAgo)
      .map(_.getPath)
      .filter(path => isBundleOf(name, path.getName) || path.getName.startsWith(s".$name@"))
      .foreach(remove)
  }

  private def remove(path: Path): Unit = reached(fs.delete(path, false)): Unit

  private def versionFiles: Seq[VersionFile] = listed.map(_.getPath).flatMap { path =>
    Option(path.getName).collect { case Version(name, number) =>
      VersionFile(name, number.toInt, path)
    }
  }

  private def listed: Seq[FileStatus] = reached {
    try fs.listStatus(folder).toSeq
    catch {
      case _: FileNotFoundException =>
        if (fs.exists(root) && !fs.getFileStatus(root).isDirectory) {
          throw unusable("it is a file, not a folder")
        }
        Nil
    }
  }

  /** Spark's rule for tables: where case does not count, a new name is kept in small letters. */
  private def nameOfNew(name: String): String =
    if (resolver("a", "A")) name.toLowerCase(Locale.ROOT) else name

  /** None if the model was dropped meanwhile. */
  private def open(file: VersionFile, version: ModelVersion): Option[Bundle] = {
    val zip = new Path(folder, version.bundle)
    try {
      if (!reached(fs.exists(zip))) throw corrupt(file, s"its bundle '$zip' is missing")
      val bundle = Bundle.open(reached(BundleZip.folder(BundleCatalog.onThisMachine(fs, zip))))
      if (bundle.sha256 != version.sha256) {
        val found = bundle.sha256.take(12)
        throw corrupt(file, s"its bundle '$zip' has sha256 $found, not ${version.sha256.take(12)}")
      }
      Some(bundle)
    } catch {
      // The file may be there again, of another version of the same number.
      case NonFatal(_) if !Try(read(file)).toOption.flatten.contains(version) => None
    }
  }

  private def text(path: Path): Option[String] = reached {
    try Some(Using.resource(fs.open(path))(in => new String(in.readAllBytes(), UTF_8)))
    catch { case _: FileNotFoundException => None }
  }

  private def corrupt(file: VersionFile, why: String): SightlineException =
    SightlineException(
      "BUNDLE_CORRUPT",
      "bundle" -> s"version ${file.number} of model '${file.name}'",
      "reason" -> why,
      "hint" -> "Create the model again by CREATE OR REPLACE MODEL.",
    )

  private def upload(bundle: Bundle, target: Path): Unit = {
    val packed = zip(bundle)
    try reached(fs.copyFromLocalFile(new Path(packed.toUri), target))
    catch {
      case error: SightlineException =>
        Try(remove(target)): Unit
        throw error
    } finally { Files.deleteIfExists(packed): Unit }
  }

  private def zip(bundle: Bundle): LocalPath = {
    val file = TemporaryFolder.create("model").resolve("bundle.zip")
    Using.resource(new ZipOutputStream(Files.newOutputStream(file))) { out =>
      // Weights do not shrink.
      out.setLevel(0)
      (Manifest.FileName +: bundle.manifest.files.keys.toSeq.sorted).foreach { name =>
        out.putNextEntry(new ZipEntry(name))
        Files.copy(bundle.folder.resolve(name), out)
        out.closeEntry()
      }
    }
    file
  }

  private def reached[A](use: => A): A = ModelRegistry.reached(root)(use)

  private def unusable(why: String): SightlineException = ModelRegistry.unusable(root, why)
}

object ModelRegistry {

  /** Names begin with a letter or digit, so no model's folder has this name. */
  private val FolderName = "_models"

  private val LongestName = 128

  /** No CREATE MODEL takes so long. */
  private val Abandoned = Duration.ofDays(1)

  private val Version = """([^@]+)@(\d{6})\.json""".r

  /** @throws SightlineException NO_MODELS_ROOT */
  def open(root: Option[String], hadoop: Configuration, resolver: (String, String) => Boolean): ModelRegistry =
    root.map(path => new ModelRegistry(new Path(path), hadoop, resolver)).getOrElse {
      throw SightlineException("NO_MODELS_ROOT")
    }

  /** Letters, digits, `_`, `-` and `.`, a letter or digit first: a name is a file's too. */
  def isName(text: String): Boolean =
    text.matches("[A-Za-z0-9][A-Za-z0-9_.-]*") && text.length <= LongestName &&
      !BundleCatalog.isPath(text)

  /**
   * The one of `names` that `name` means, if any: itself, or the one that `resolver` calls the same.
   *
   * @throws SightlineException AMBIGUOUS_MODEL
   */
  private[model] def sameName(
      name: String,
      names: Seq[String],
      resolver: (String, String) => Boolean,
  ): Option[String] =
    names.find(_ == name).orElse {
      names.filter(resolver(_, name)) match {
        case several if several.size > 1 =>
          throw SightlineException(
            "AMBIGUOUS_MODEL",
            "name" -> name,
            "models" -> several.sorted.mkString(" and "),
          )
        case found => found.headOption
      }
    }

  /** Storage fails in many ways; to a user each is a root that cannot be used, and why. */
  private[model] def reached[A](root: Path)(use: => A): A =
    try use
    catch {
      case ours: SightlineException => throw ours
      case NonFatal(error) =>
        val reason = ErrorTranslation.firstLine(error)
        throw unusable(root, s"${error.getClass.getSimpleName}: $reason")
    }

  private def unusable(root: Path, why: String): SightlineException =
    SightlineException("MODELS_ROOT_UNUSABLE", "root" -> root, "reason" -> why)

  private def requireName(name: String): Unit =
    if (!isName(name)) {
      val shown = if (name.length <= LongestName) name else s"${name.take(20)}…"
      throw SightlineException(
        "WRONG_MODEL_NAME",
        "name" -> shown,
        "length" -> name.length,
        "longest" -> LongestName,
      )
    }

  private def isBundleOf(name: String, file: String): Boolean =
    file.startsWith(s"$name@") && file.stripPrefix(s"$name@").matches("[0-9a-f]{32}\\.zip")

  def exists(name: String): SightlineException =
    SightlineException(
      "MODEL_EXISTS",
      "model" -> name,
      "hint" -> "Use CREATE OR REPLACE MODEL for a new version, or IF NOT EXISTS.",
    )
}
