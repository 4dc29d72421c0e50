package sightline.model

import java.io.FileNotFoundException
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Path as LocalPath, Paths}

import scala.collection.concurrent.TrieMap
import scala.util.Using
import scala.util.control.NonFatal

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileStatus, FileSystem, Path}

import sightline.{ErrorTranslation, LocalFiles, SightlineException}

/**
 * Access to the storage of a folder of models. Each failure of the storage becomes the error
 * MODELS_ROOT_UNUSABLE.
 *
 * @param path at any URI; it need not exist
 */
final private[model] class ModelsRoot(val path: Path, hadoop: Configuration) {

  private lazy val fs: FileSystem = path.getFileSystem(hadoop)

  def exists(file: Path): Boolean = reached(fs.exists(file))

  def isFile(file: Path): Boolean = reached {
    try fs.getFileStatus(file).isFile
    catch { case _: FileNotFoundException => false }
  }

  /** The entries of a folder; none if the folder does not exist. */
  def list(folder: Path): Seq[FileStatus] = reached {
    try fs.listStatus(folder).toSeq
    catch { case _: FileNotFoundException => Nil }
  }

  /** The text of a file; None if it does not exist. */
  def read(file: Path): Option[String] = reached {
    try Some(Using.resource(fs.open(file))(in => new String(in.readAllBytes(), UTF_8)))
    catch { case _: FileNotFoundException => None }
  }

  /** The error for a file that exists and cannot be read. */
  def unreadable(file: Path): SightlineException = unusable(s"'$file' cannot be read")

  def createFolder(folder: Path): Unit =
    // Some file systems return false, others throw.
    if (!reached(fs.mkdirs(folder))) throw unusable(s"folder '$folder' cannot be created")

  /** @return whether this call wrote the file; false if it exists already */
  def writeNew(file: Path, text: String): Boolean = reached(NewFile.write(file, text, hadoop))

  def upload(local: LocalPath, target: Path): Unit =
    reached(fs.copyFromLocalFile(new Path(local.toUri), target))

  def delete(file: Path): Unit = reached(fs.delete(file, false)): Unit

  /** A bundle's folder or zip as a folder on this machine; a remote one is copied. */
  def localBundle(bundle: Path): LocalPath =
    reached(BundleZip.folder(ModelsRoot.local(fs, bundle)))

  /** A bundle's folder or zip on this machine: itself if it is local, else a copy. */
  def local(bundle: Path): LocalPath = reached(ModelsRoot.local(fs, bundle))

  /** @throws SightlineException MODELS_ROOT_UNUSABLE if the root exists and is not a folder */
  def requireFolder(): Unit =
    if (reached(fs.exists(path) && !fs.getFileStatus(path).isDirectory)) {
      throw unusable("it is a file, not a folder")
    }

  private def reached[A](use: => A): A =
    try use
    catch {
      case ours: SightlineException => throw ours
      case NonFatal(error) =>
        throw unusable(s"${error.getClass.getSimpleName}: ${ErrorTranslation.firstLine(error)}")
    }

  private def unusable(why: String): SightlineException =
    SightlineException("MODELS_ROOT_UNUSABLE", "root" -> path, "reason" -> why)
}

private[model] object ModelsRoot {

  // SQL resolves a model in every query: each version of a remote one is copied only once.
  private val copies = TrieMap.empty[String, LocalPath]

  /** A bundle's folder or zip on this machine: itself if it is local, else a copy. */
  def local(fs: FileSystem, path: Path): LocalPath =
    if (LocalFiles.isLocal(fs)) Paths.get(path.toUri.getPath) else copy(fs, path)

  private def copy(fs: FileSystem, path: Path): LocalPath = {
    val manifest = new Path(path, Manifest.FileName)
    val status = fs.getFileStatus(if (fs.exists(manifest)) manifest else path)
    val version = s"${fs.makeQualified(path)} ${status.getModificationTime} ${status.getLen}"
    copies.getOrElseUpdate(
      version, {
        val target = TemporaryFolder.create("bundle").resolve(path.getName)
        fs.copyToLocalFile(path, new Path(target.toUri))
        target
      },
    )
  }
}
