package sightline.model

import java.nio.file.{Files, Path, Paths}

import scala.collection.concurrent.TrieMap
import scala.util.Try

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path as HadoopPath}

import sightline.SightlineException

/**
 * Finds models: by the path of a bundle's folder or zip at any URI, or by name.
 *
 * A name is looked for in this order: what CREATE MODEL made under the root, bundles that lie in the
 * root, in `models` of the working folder, in the folder beside the jar, and in the jar.
 *
 * @param root a folder or URI; None: that of SIGHTLINE_MODELS, if it is set
 * @param hadoop settings for what lies at a Hadoop URI
 * @param resolver whether two names are the same: `spark.sql.caseSensitive`
 */
final class BundleCatalog(
    root: Option[String],
    hadoop: Configuration,
    resolver: (String, String) => Boolean = _.equalsIgnoreCase(_),
) {

  private lazy val named: Option[String] =
    root.orElse(sys.env.get("SIGHTLINE_MODELS")).filter(_.nonEmpty)

  private lazy val registry: Option[ModelRegistry] =
    named.map(path => new ModelRegistry(new HadoopPath(path), hadoop, resolver))

  private lazy val folders: Seq[ModelsFolder] =
    (named.map(new HadoopPath(_)).toSeq ++
      (Seq(Paths.get("models").toAbsolutePath) ++ BundleCatalog.builtIn).map { folder =>
        new HadoopPath(folder.toUri)
      }).map(new ModelsFolder(_, hadoop))

  /**
   * @param model a name (`id_fraud`), a version of a name (`id_fraud@2`), or a path or URI of a
   *   bundle's folder or zip: what holds a `/` or ends in `.zip`
   * @throws SightlineException UNKNOWN_MODEL, UNKNOWN_VERSION, AMBIGUOUS_MODEL, INVALID_BUNDLE,
   *   BUNDLE_CORRUPT, MODEL_VERSION_UNREADABLE or MODELS_ROOT_UNUSABLE
   */
  def find(model: String): FoundModel =
    if (BundleCatalog.isPath(model)) FoundModel(Bundle.open(local(model)))
    else {
      val (name, version) = BundleCatalog.split(model)
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

  /** The folder of the bundle that a name means where CREATE MODEL has made none of that name. */
  def plain(name: String): Option[Path] =
    if (!ModelRegistry.isName(name)) None
    else {
      folders.iterator
        .flatMap(folder => folder.find(name, resolver).map(folder.open))
        .nextOption()
        .orElse(
          ModelRegistry
            .sameName(name, BundleResource.names, resolver)
            .flatMap(BundleResource.unpack)
        )
    }

  /** Names that [[find]] knows, sorted. */
  def known: Seq[String] =
    (registry.toSeq.flatMap(_.newest.map(_.name)) ++
      folders.flatMap(_.names(_ => true)) ++ BundleResource.names).distinct.sorted

  /**
   * What is known of every model, sorted by name, of which no weights are read or fetched.
   *
   * @param wanted by name
   */
  def list(wanted: String => Boolean): Seq[ListedModel] = {
    val created = registry.toSeq.flatMap(models =>
      models.newest.filter(file => wanted(file.name)).flatMap { file =>
        BundleCatalog.told(models.read(file)) match {
          case Left(error) => Some(ListedModel(file.name, Some(file.number), Left(error)))
          case Right(there) =>
            there.map(version => ListedModel(file.name, Some(file.number), Right(version.about)))
        }
      }
    )
    val lying = folders.flatMap(folder =>
      folder.names(wanted).map { name =>
        ListedModel(name, None, BundleCatalog.told(AboutModel(folder.manifest(name))))
      }
    )
    val packed = BundleResource.names.filter(wanted).map { name =>
      val json = BundleResource.manifest(name)
      ListedModel(name, None, BundleCatalog.told(AboutModel(Manifest.parse(json, name))))
    }
    (created ++ lying ++ packed).distinctBy(_.name).sortBy(_.name)
  }

  private def local(model: String): Path = {
    val path = new HadoopPath(model)
    val fs = path.getFileSystem(hadoop)
    if (!fs.exists(path)) throw unknown(model)
    val folder = BundleZip.folder(BundleCatalog.onThisMachine(fs, path))
    if (!Files.isRegularFile(folder.resolve(Manifest.FileName))) {
      throw SightlineException(
        "INVALID_BUNDLE",
        "bundle" -> model,
        "reason" -> s"it holds no ${Manifest.FileName}",
      )
    }
    folder
  }

  /** UNKNOWN_MODEL, with the names that are known. */
  def unknown(model: String): SightlineException =
    SightlineException("UNKNOWN_MODEL", "model" -> model, "known" -> known)
}

object BundleCatalog {

  // SQL resolves a model for every query: a remote one is fetched once for each version of it.
  private val copies = TrieMap.empty[String, Path]

  /** A bundle's folder or zip: where it is, or a copy of what lies on another file system. */
  private[model] def onThisMachine(fs: FileSystem, path: HadoopPath): Path =
    if (fs.getUri.getScheme == "file") Paths.get(path.toUri.getPath) else localCopy(fs, path)

  private def localCopy(fs: FileSystem, path: HadoopPath): Path = {
    val manifest = new HadoopPath(path, Manifest.FileName)
    val status = fs.getFileStatus(if (fs.exists(manifest)) manifest else path)
    val version = s"${fs.makeQualified(path)} ${status.getModificationTime} ${status.getLen}"
    copies.getOrElseUpdate(
      version, {
        val target = TemporaryFolder.create("bundle").resolve(path.getName)
        fs.copyToLocalFile(path, new HadoopPath(target.toUri))
        target
      },
    )
  }

  /** Whether it is the place of a bundle, and no name. */
  def isPath(model: String): Boolean = model.contains("/") || model.endsWith(".zip")

  private val Versioned = "(.+)@(\\d{1,6})".r

  /** The name in `name@version`. */
  def nameOf(model: String): String = split(model)._1

  private def split(model: String): (String, Option[Int]) = model match {
    case Versioned(name, version) => (name, Some(version.toInt))
    case name => (name, None)
  }

  /** One model that cannot be read must not hide the others. */
  private[sightline] def told[A](about: => A): Either[SightlineException, A] =
    try Right(about)
    catch { case error: SightlineException => Left(error) }

  /** The models folder beside the jar's: of the checkout, or of the installed Python package. */
  private def builtIn: Option[Path] =
    for {
      source <- Option(getClass.getProtectionDomain.getCodeSource)
      jar <- Try(Paths.get(new java.net.URI(source.getLocation.toString))).toOption
      folder <- Option(jar.getParent)
      parent <- Option(folder.getParent)
    } yield parent.resolve("models")
}
