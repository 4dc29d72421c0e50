package sightline.model

import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path}

import scala.collection.concurrent.TrieMap
import scala.util.Using

/** The bundles in the jar, so that the jar alone can run on a cluster. */
private[model] object BundleResource {

  /** Names of the bundles in the jar, from `models/index.txt`, which the build writes. */
  val names: Seq[String] =
    read("models/index.txt").map(new String(_, UTF_8).linesIterator.toSeq).getOrElse(Nil)

  /** The text of a bundle's `model.json`. */
  def manifest(name: String): String =
    new String(read(s"models/$name/${Manifest.FileName}").get, UTF_8)

  private val unpacked = TrieMap.empty[String, Path]

  /** A folder with a copy of the bundle, made once for a JVM; None if the jar has no such bundle. */
  def unpack(name: String): Option[Path] =
    Option.when(names.contains(name))(unpacked.getOrElseUpdate(name, copy(name)))

  private def copy(name: String): Path = {
    val folder = TemporaryFolder.create("bundle").resolve(name)
    Files.createDirectories(folder)
    val json = manifest(name)
    Files.writeString(folder.resolve(Manifest.FileName), json)
    Manifest.parse(json, s"$name in the jar").files.keys.foreach { file =>
      read(s"models/$name/$file").foreach(Files.write(folder.resolve(file), _))
    }
    folder
  }

  private def read(resource: String): Option[Array[Byte]] =
    Option(getClass.getClassLoader.getResourceAsStream(resource))
      .map(Using.resource(_)(_.readAllBytes()))
}
