package sightline.model

import java.nio.file.Path as LocalPath

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path

/**
 * A folder in which users keep bundles: `NAME/model.json …`, or `NAME.zip`. It is never written.
 *
 * @param root at any URI; it need not exist
 */
final private class CopiedBundles(root: Path, hadoop: Configuration) {

  private val storage = new ModelsRoot(root, hadoop)

  /**
   * Names of the bundles in the folder: zips, and folders that have a manifest. No manifest is read.
   *
   * @param wanted whether the list includes a name; other entries are not examined
   */
  def names(wanted: String => Boolean): Seq[String] =
    storage
      .list(root)
      .flatMap { status =>
        val file = status.getPath.getName
        val isZip = !status.isDirectory && file.endsWith(".zip")
        val name = if (isZip) file.stripSuffix(".zip") else file
        Option.when(
          ModelName.isValid(name) && wanted(name) &&
            (isZip || status.isDirectory && storage.exists(manifestOf(name)))
        )(name)
      }
      .distinct

  /**
   * The name of the bundle here that `name` refers to; None if there is none.
   *
   * @throws sightline.SightlineException AMBIGUOUS_MODEL or MODELS_ROOT_UNUSABLE
   */
  def find(name: String, resolver: (String, String) => Boolean): Option[String] =
    // Most names are written as they are stored, so a lookup without a listing finds them.
    if (storage.exists(manifestOf(name)) || storage.isFile(zipOf(name))) Some(name)
    else if (ModelName.isCaseSensitive(resolver)) None
    else ModelName.resolve(name, names(resolver(_, name)), resolver)

  /** The bundle's folder on this machine. */
  def open(name: String): LocalPath =
    storage.localBundle(if (storage.exists(manifestOf(name))) new Path(root, name) else zipOf(name))

  /**
   * The bundle's manifest; its weights are not read.
   *
   * @throws sightline.SightlineException INVALID_BUNDLE
   */
  def manifest(name: String): Manifest = {
    val file = manifestOf(name)
    val json =
      if (storage.exists(file)) storage.read(file).getOrElse(throw storage.unreadable(file))
      else BundleZip.manifest(storage.local(zipOf(name)))
    Manifest.parse(json, new Path(root, name).toString)
  }

  private def manifestOf(name: String): Path = new Path(root, s"$name/${Manifest.FileName}")
  private def zipOf(name: String): Path = new Path(root, s"$name.zip")
}
