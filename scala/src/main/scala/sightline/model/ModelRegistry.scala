package sightline.model

import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path as LocalPath}
import java.time.Instant
import java.time.temporal.ChronoUnit
import java.util.UUID
import java.util.zip.{ZipEntry, ZipOutputStream}

import scala.util.Using

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path}

import sightline.SightlineException

/**
 * The models under a root at any URI, each in versions.
 *
 * {{{
 * ROOT/NAME/versions/000002.json    a version: written last, and whole or not at all
 * ROOT/NAME/bundles/SHA256.zip      its files, named by their hash
 * }}}
 *
 * The highest version is the model. Whoever writes a version's file first has made it: of two that
 * create the same model at once one wins, and neither leaves half of one.
 */
final class ModelRegistry(root: Path, hadoop: Configuration) {

  private lazy val fs: FileSystem = root.getFileSystem(hadoop)

  def names: Seq[String] =
    if (!fs.exists(root)) Nil
    else {
      fs.listStatus(root).toSeq.map(_.getPath.getName).filter(versions(_).nonEmpty).sorted
    }

  /** The oldest first; none if there is no such model. */
  def versions(name: String): Seq[ModelVersion] =
    if (!ModelRegistry.isName(name) || !fs.exists(versionsOf(name))) Nil
    else {
      fs.listStatus(versionsOf(name))
        .toSeq
        .map(_.getPath)
        .filter(_.getName.matches("\\d{6}\\.json"))
        .sortBy(_.getName)
        .map(path => ModelVersion.parse(read(path)))
    }

  /** The bundle of a version, copied to this machine and checked. */
  def open(name: String, version: ModelVersion): Bundle = {
    val bundle = Bundle.open(BundleZip.folder(local(bundleOf(name, version.sha256))))
    if (bundle.sha256 == version.sha256) bundle
    else {
      throw SightlineException.wrongUse(
        "BUNDLE_CORRUPT",
        s"version ${version.number} of model '$name' has sha256 ${bundle.sha256.take(12)}, not " +
          s"${version.sha256.take(12)}. Its file was replaced; create the model again.",
      )
    }
  }

  /**
   * Makes `bundle` the newest version.
   *
   * @param replaces whether there may be a version already
   * @throws SightlineException MODEL_EXISTS
   */
  def create(
      name: String,
      bundle: Bundle,
      source: String,
      comment: Option[String],
      options: Map[String, String],
      replaces: Boolean,
  ): ModelVersion = {
    ModelRegistry.requireName(name)
    upload(name, bundle)
    val created = Instant.now.truncatedTo(ChronoUnit.SECONDS)
    // Somebody else may make the next version first; then ours is the one after.
    Iterator
      .continually {
        val next = versions(name).lastOption.fold(1)(_.number + 1)
        if (next > 1 && !replaces) throw ModelRegistry.exists(name)
        val version = ModelVersion(next, bundle.sha256, source, created, comment, options)
        val path = new Path(versionsOf(name), f"$next%06d.json")
        Option.when(NewFile.write(path, version.toJson, hadoop))(version)
      }
      .flatten
      .next()
  }

  /** Removes a model with all its versions. */
  def drop(name: String): Unit = {
    // First what makes it a model.
    fs.delete(versionsOf(name), true): Unit
    fs.delete(new Path(root, name), true): Unit
  }

  private def versionsOf(name: String): Path = new Path(root, s"$name/versions")

  private def bundleOf(name: String, sha256: String): Path =
    new Path(root, s"$name/bundles/$sha256.zip")

  private def upload(name: String, bundle: Bundle): Unit = {
    val target = bundleOf(name, bundle.sha256)
    if (!fs.exists(target)) {
      val part = new Path(target.getParent, s".${UUID.randomUUID}.part")
      fs.mkdirs(target.getParent): Unit
      val packed = zip(bundle)
      try fs.copyFromLocalFile(new Path(packed.toUri), part)
      finally Files.deleteIfExists(packed): Unit
      // False where another has put the same bytes there.
      if (!fs.rename(part, target)) fs.delete(part, false): Unit
    }
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

  private def local(path: Path): LocalPath =
    if (fs.getUri.getScheme == "file") LocalPath.of(path.toUri.getPath)
    else BundleCatalog.localCopy(fs, path)

  private def read(path: Path): String =
    Using.resource(fs.open(path))(in => new String(in.readAllBytes(), UTF_8))
}

object ModelRegistry {

  /** @throws SightlineException NO_MODELS_ROOT */
  def open(root: Option[String], hadoop: Configuration): ModelRegistry =
    root.map(path => new ModelRegistry(new Path(path), hadoop)).getOrElse {
      throw SightlineException.wrongUse(
        "NO_MODELS_ROOT",
        "there is no place to keep models. Set spark.sightline.models to a folder or URI, such as " +
          "hdfs:///models.",
      )
    }

  /** Letters, digits, `_`, `-` and `.`, a letter or digit first: a name is a folder's too. */
  def isName(text: String): Boolean =
    text.matches("[A-Za-z0-9][A-Za-z0-9_.-]*") && !BundleCatalog.isPath(text)

  private def requireName(name: String): Unit =
    if (!isName(name)) {
      throw SightlineException.wrongUse(
        "WRONG_MODEL_NAME",
        s"'$name' is no name for a model. Use letters, digits, _, - and ., a letter or digit first.",
      )
    }

  def exists(name: String): SightlineException =
    SightlineException.wrongUse(
      "MODEL_EXISTS",
      s"there is a model '$name' already. Use CREATE OR REPLACE MODEL for a new version, or IF NOT " +
        "EXISTS.",
    )
}
