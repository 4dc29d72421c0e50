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
 * Finds bundles: by name under the models roots, or by the path of a folder or zip at any URI.
 *
 * @param root a models folder that comes before all others, when given
 * @param hadoop settings for bundles at a Hadoop URI
 */
final class BundleCatalog(root: Option[String], hadoop: Configuration) {

  /**
   * @param model a name (`id_fraud`), or a path or URI of a bundle's folder or zip
   * @throws SightlineException UNKNOWN_MODEL, INVALID_BUNDLE or BUNDLE_CORRUPT
   */
  def find(model: String): Bundle =
    if (model.contains("/") || model.endsWith(".zip")) Bundle.open(local(model))
    else {
      roots
        .flatMap(BundleCatalog.under(_, model))
        .headOption
        .orElse(BundleResource.unpack(model))
        .map(Bundle.open)
        .getOrElse(throw unknown(model))
    }

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
    (onDisk ++ BundleResource.names).distinct.sorted
  }

  private def roots: Seq[Path] = {
    val named = root.orElse(sys.env.get("SIGHTLINE_MODELS")).map(Paths.get(_))
    named.toSeq ++ Seq(Paths.get("models").toAbsolutePath) ++ BundleCatalog.builtIn
  }

  private def local(model: String): Path = {
    val path = new HadoopPath(model)
    val fs = path.getFileSystem(hadoop)
    if (!fs.exists(path)) throw unknown(model)
    val folder =
      if (fs.getUri.getScheme == "file") BundleZip.folder(Paths.get(path.toUri.getPath))
      else {
        val manifest = new HadoopPath(path, Manifest.FileName)
        val status = fs.getFileStatus(if (fs.exists(manifest)) manifest else path)
        val version = s"${fs.makeQualified(path)} ${status.getModificationTime} ${status.getLen}"
        BundleCatalog.copies.getOrElseUpdate(version, BundleZip.folder(copy(fs, path)))
      }
    if (!Files.isRegularFile(folder.resolve(Manifest.FileName))) {
      throw SightlineException.wrongUse(
        "INVALID_BUNDLE",
        s"$model holds no ${Manifest.FileName}. Make a bundle with `sightline models add`.",
      )
    }
    folder
  }

  private def copy(fs: FileSystem, path: HadoopPath): Path = {
    val target = TemporaryFolder.create("bundle").resolve(path.getName)
    fs.copyToLocalFile(path, new HadoopPath(target.toUri))
    target
  }

  private def unknown(model: String): SightlineException = {
    val names = if (known.isEmpty) "none" else known.mkString(", ")
    SightlineException.wrongUse("UNKNOWN_MODEL", s"'$model'. Known: $names.")
  }
}

object BundleCatalog {

  // SQL resolves a model for every query: a remote one is fetched once for each version of it.
  private val copies = TrieMap.empty[String, Path]

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
