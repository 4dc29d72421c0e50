package sightline.model

import java.io.FileNotFoundException
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.Path as LocalPath

import scala.util.Using

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path}

/**
 * A folder in which people keep bundles: `NAME/model.json …`, or `NAME.zip`. Nothing is written here.
 *
 * @param root at any URI; it need not exist
 */
final private class ModelsFolder(root: Path, hadoop: Configuration) {

  private lazy val fs: FileSystem = root.getFileSystem(hadoop)

  /**
   * Names of the bundles in it; it looks into folders for a manifest, and reads none.
   *
   * @param wanted by name; the others are not looked at
   */
  def names(wanted: String => Boolean): Seq[String] = reached {
    try
      fs.listStatus(root)
        .toSeq
        .flatMap { status =>
          val file = status.getPath.getName
          val isZip = !status.isDirectory && file.endsWith(".zip")
          val name = if (isZip) file.stripSuffix(".zip") else file
          Option.when(
            ModelRegistry.isName(name) && wanted(name) &&
              (isZip || status.isDirectory && fs.exists(manifestOf(name)))
          )(name)
        }
        .distinct
    catch { case _: FileNotFoundException => Nil }
  }

  /**
   * The name of a bundle here that `name` means, if any.
   *
   * @throws SightlineException AMBIGUOUS_MODEL or MODELS_ROOT_UNUSABLE
   */
  def find(name: String, resolver: (String, String) => Boolean): Option[String] =
    // Most names are there as they are written: one look, and no listing.
    if (reached(holds(name))) Some(name)
    else if (resolver("a", "A")) ModelRegistry.sameName(name, names(resolver(_, name)), resolver)
    else None

  /** The bundle's folder on this machine. */
  def open(name: String): LocalPath = reached {
    val path = if (fs.exists(manifestOf(name))) new Path(root, name) else zipOf(name)
    BundleZip.folder(BundleCatalog.onThisMachine(fs, path))
  }

  /**
   * What the bundle says of itself; its weights are not read.
   *
   * @throws SightlineException INVALID_BUNDLE
   */
  def manifest(name: String): Manifest = {
    val where = new Path(root, name).toString
    if (reached(fs.exists(manifestOf(name)))) {
      val bytes = reached(Using.resource(fs.open(manifestOf(name)))(_.readAllBytes()))
      Manifest.parse(new String(bytes, UTF_8), where)
    } else {
      val zip = reached(BundleCatalog.onThisMachine(fs, zipOf(name)))
      Manifest.parse(BundleZip.manifest(zip), where)
    }
  }

  private def holds(name: String): Boolean =
    fs.exists(manifestOf(name)) || isFile(zipOf(name))

  private def isFile(path: Path): Boolean =
    try fs.getFileStatus(path).isFile
    catch { case _: FileNotFoundException => false }

  private def manifestOf(name: String): Path = new Path(root, s"$name/${Manifest.FileName}")
  private def zipOf(name: String): Path = new Path(root, s"$name.zip")

  private def reached[A](use: => A): A = ModelRegistry.reached(root)(use)
}
