package sightline.model

import java.nio.file.{Files, Path, Paths}

import scala.util.Try

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path as HadoopPath

import sightline.SightlineException

/**
 * Finds models by name, or by the path or URI of a bundle's folder or zip.
 *
 * A name is searched for in this order: models that CREATE MODEL made under the root, bundles in the
 * root, in `models` of the working folder, in the folder `models` beside the jar's folder, and in the
 * jar.
 *
 * @param root the models root, a folder or URI; None: the value of SIGHTLINE_MODELS, if it is set
 * @param hadoop settings for file systems
 * @param resolver whether two names are the same: `spark.sql.caseSensitive`
 */
final class BundleCatalog(
    root: Option[String],
    hadoop: Configuration,
    resolver: (String, String) => Boolean = _.equalsIgnoreCase(_),
) {

  private lazy val modelsRoot: Option[String] =
    root.orElse(sys.env.get("SIGHTLINE_MODELS")).filter(_.nonEmpty)

  private lazy val registry: Option[ModelRegistry] =
    modelsRoot.map(path => new ModelRegistry(new HadoopPath(path), hadoop, resolver))

  private lazy val folders: Seq[CopiedBundles] =
    (modelsRoot.map(new HadoopPath(_)).toSeq ++
      (Seq(Paths.get("models").toAbsolutePath) ++ BundleCatalog.builtIn).map { folder =>
        new HadoopPath(folder.toUri)
      }).map(new CopiedBundles(_, hadoop))

  /**
   * Opens a model.
   *
   * @param model a name (`id_fraud`), a version of a name (`id_fraud@2`), or the path or URI of a
   *   bundle's folder or zip: a text that contains `/` or ends with `.zip`
   * @throws SightlineException UNKNOWN_MODEL, UNKNOWN_VERSION, AMBIGUOUS_MODEL, INVALID_BUNDLE,
   *   BUNDLE_CORRUPT, MODEL_VERSION_UNREADABLE or MODELS_ROOT_UNUSABLE
   */
  def find(model: String): FoundModel =
    if (BundleCatalog.isPath(model)) FoundModel(Bundle.open(local(model)))
    else {
      val (name, version) = ModelName.split(model)
      registry
        .flatMap(_.find(name, version))
        .orElse(
          Option.when(version.isEmpty)(plain(name)).flatten.map(at => FoundModel(Bundle.open(at)))
        )
        .getOrElse(throw unknown(model))
    }

  /** The files of a name's versions, the oldest first; none if CREATE MODEL did not make it. */
  def versions(name: String): Seq[VersionFile] = registry.toSeq.flatMap(_.versions(name))

  /** @throws SightlineException MODEL_VERSION_UNREADABLE */
  def read(version: VersionFile): Option[ModelVersion] = registry.flatMap(_.read(version))

  /** The folder of the bundle that has this name; models that CREATE MODEL made are not searched. */
  def plain(name: String): Option[Path] =
    if (!ModelName.isValid(name)) None
    else {
      folders.iterator
        .flatMap(folder => folder.find(name, resolver).map(folder.open))
        .nextOption()
        .orElse(
          ModelName.resolve(name, BundleResource.names, resolver).flatMap(BundleResource.unpack)
        )
    }

  /** The names that [[find]] knows, sorted. */
  def known: Seq[String] =
    (registry.toSeq.flatMap(_.newest.map(_.name)) ++
      folders.flatMap(_.names(_ => true)) ++ BundleResource.names).distinct.sorted

  /**
   * The models, sorted by name. Only their descriptions are read, no weights.
   *
   * @param wanted whether the list includes a name
   */
  def list(wanted: String => Boolean): Seq[ListedModel] = {
    val created = registry.toSeq.flatMap(models =>
      models.newest.filter(file => wanted(file.name)).flatMap { file =>
        BundleCatalog.orError(models.read(file)) match {
          case Left(error) => Some(ListedModel(file.name, Some(file.number), Left(error)))
          case Right(found) =>
            found.map(version => ListedModel(file.name, Some(file.number), Right(version.about)))
        }
      }
    )
    val inFolders = folders.flatMap(folder =>
      folder.names(wanted).map { name =>
        ListedModel(name, None, BundleCatalog.orError(AboutModel(folder.manifest(name))))
      }
    )
    val inJar = BundleResource.names.filter(wanted).map { name =>
      val json = BundleResource.manifest(name)
      ListedModel(name, None, BundleCatalog.orError(AboutModel(Manifest.parse(json, name))))
    }
    (created ++ inFolders ++ inJar).distinctBy(_.name).sortBy(_.name)
  }

  private def local(model: String): Path = {
    val path = new HadoopPath(model)
    val fs = path.getFileSystem(hadoop)
    if (!fs.exists(path)) throw unknown(model)
    val folder = BundleZip.folder(ModelsRoot.local(fs, path))
    if (!Files.isRegularFile(folder.resolve(Manifest.FileName))) {
      throw SightlineException(
        "INVALID_BUNDLE",
        "bundle" -> model,
        "reason" -> s"it contains no ${Manifest.FileName}",
      )
    }
    folder
  }

  /** The error UNKNOWN_MODEL, with the names that are known. */
  def unknown(model: String): SightlineException =
    SightlineException("UNKNOWN_MODEL", "model" -> model, "known" -> known)
}

object BundleCatalog {

  /** Whether a text is the path or URI of a bundle, not a name. */
  def isPath(model: String): Boolean = model.contains("/") || model.endsWith(".zip")

  /** The value, or the error that prevents it: a model that cannot be read must not hide the others. */
  private[sightline] def orError[A](value: => A): Either[SightlineException, A] =
    try Right(value)
    catch { case error: SightlineException => Left(error) }

  /** The folder `models` beside the jar's folder: of the checkout, or of the Python package. */
  private def builtIn: Option[Path] =
    for {
      source <- Option(getClass.getProtectionDomain.getCodeSource)
      jar <- Try(Paths.get(new java.net.URI(source.getLocation.toString))).toOption
      folder <- Option(jar.getParent)
      parent <- Option(folder.getParent)
    } yield parent.resolve("models")
}
