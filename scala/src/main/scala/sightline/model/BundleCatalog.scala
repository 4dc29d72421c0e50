package sightline.model

import java.net.URI
import java.nio.file.{Files, Path, Paths}

import scala.collection.concurrent.TrieMap
import scala.jdk.CollectionConverters.*
import scala.util.{Try, Using}

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path as HadoopPath}

import sightline.SightlineException

/**
 * Finds models: by name under the models roots, or by the path of a bundle's folder or zip at any URI.
 *
 * @param root a folder or URI that comes before all others, when given; it may hold versions, see
 *   [[ModelRegistry]]
 * @param hadoop settings for what lies at a Hadoop URI
 */
final class BundleCatalog(root: Option[String], hadoop: Configuration) {

  /**
   * @param model a name (`id_fraud`), a version of a name (`id_fraud@2`), or a path or URI of a
   *   bundle's folder or zip
   * @throws SightlineException UNKNOWN_MODEL, UNKNOWN_VERSION, INVALID_BUNDLE or BUNDLE_CORRUPT
   */
  def find(model: String): FoundModel =
    if (BundleCatalog.isPath(model)) FoundModel(Bundle.open(local(model)))
    else {
      val (name, version) = BundleCatalog.split(model)
      versioned(name, version).getOrElse {
        if (version.isDefined || !ModelRegistry.isName(name)) throw unknown(model)
        plain(name).map(folder => FoundModel(Bundle.open(folder))).getOrElse(throw unknown(model))
      }
    }

  /** The versions of a name, the oldest first; none if CREATE MODEL did not make it. */
  def versions(name: String): Seq[ModelVersion] = registry.toSeq.flatMap(_.versions(name))

  private def registry: Option[ModelRegistry] =
    named.map(path => new ModelRegistry(new HadoopPath(path), hadoop))

  private def versioned(name: String, version: Option[Int]): Option[FoundModel] =
    for {
      models <- registry
      versions = models.versions(name)
      newest <- versions.lastOption
    } yield {
      val wanted = version.getOrElse(newest.number)
      val found = versions.find(_.number == wanted).getOrElse {
        throw SightlineException.wrongUse(
          "UNKNOWN_VERSION",
          s"model '$name' has no version $wanted. Known: ${versions.map(_.number).mkString(", ")}.",
        )
      }
      FoundModel(models.open(name, found), Some(found.number), found.options)
    }

  private def plain(name: String): Option[Path] =
    remote
      .map(root => s"$root/$name")
      .filter(at => hasManifest(new HadoopPath(at)))
      .map(local)
      .orElse(roots.flatMap(BundleCatalog.under(_, name)).headOption)
      .orElse(BundleResource.unpack(name))

  /** Names that [[find]] knows, sorted. */
  def known: Seq[String] = {
    val onDisk = roots.filter(Files.isDirectory(_)).flatMap { root =>
      Using.resource(Files.list(root)) { entries =>
        entries.iterator.asScala
          .filter(folder => Files.isRegularFile(folder.resolve(Manifest.FileName)))
          .map(_.getFileName.toString)
          .toList
      }
    }
    (registry.toSeq.flatMap(_.names) ++ onDisk ++ BundleResource.names).distinct.sorted
  }

  private def named: Option[String] = root.orElse(sys.env.get("SIGHTLINE_MODELS"))

  /** The named root, where it is not on this machine. */
  private def remote: Option[String] =
    named.filter(path => new HadoopPath(path).getFileSystem(hadoop).getUri.getScheme != "file")

  private def roots: Seq[Path] = {
    val here =
      named.filterNot(remote.contains).map(path => Paths.get(new HadoopPath(path).toUri.getPath))
    here.toSeq ++ Seq(Paths.get("models").toAbsolutePath) ++ BundleCatalog.builtIn
  }

  private def local(model: String): Path = {
    val path = new HadoopPath(model)
    val fs = path.getFileSystem(hadoop)
    if (!fs.exists(path)) throw unknown(model)
    val folder =
      if (fs.getUri.getScheme == "file") BundleZip.folder(Paths.get(path.toUri.getPath))
      else {
        BundleZip.folder(BundleCatalog.localCopy(fs, path))
      }
    if (!Files.isRegularFile(folder.resolve(Manifest.FileName))) {
      throw SightlineException.wrongUse(
        "INVALID_BUNDLE",
        s"$model holds no ${Manifest.FileName}. Make a bundle with `sightline models add`.",
      )
    }
    folder
  }

  private def hasManifest(folder: HadoopPath): Boolean =
    folder.getFileSystem(hadoop).exists(new HadoopPath(folder, Manifest.FileName))

  private def unknown(model: String): SightlineException = {
    val names = if (known.isEmpty) "none" else known.mkString(", ")
    SightlineException.wrongUse("UNKNOWN_MODEL", s"'$model'. Known: $names.")
  }
}

object BundleCatalog {

  // SQL resolves a model for every query: a remote one is fetched once for each version of it.
  private val copies = TrieMap.empty[String, Path]

  /** A bundle's folder or zip of another file system, on this machine. */
  private[model] def localCopy(fs: FileSystem, path: HadoopPath): Path = {
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

  private def split(model: String): (String, Option[Int]) = model match {
    case Versioned(name, version) => (name, Some(version.toInt))
    case name => (name, None)
  }

  /** The bundle `name` in a models folder: a folder with a manifest, or a zip. */
  private def under(root: Path, name: String): Option[Path] = {
    val folder = root.resolve(name)
    val zip = root.resolve(s"$name.zip")
    if (Files.isRegularFile(folder.resolve(Manifest.FileName))) Some(folder)
    else Option.when(Files.isRegularFile(zip))(BundleZip.folder(zip))
  }

  /** The models folder beside the jar's: of the checkout, or of the installed Python package. */
  private def builtIn: Option[Path] =
    for {
      source <- Option(getClass.getProtectionDomain.getCodeSource)
      jar <- Try(Paths.get(new URI(source.getLocation.toString))).toOption
      folder <- Option(jar.getParent)
      parent <- Option(folder.getParent)
    } yield parent.resolve("models")
}
