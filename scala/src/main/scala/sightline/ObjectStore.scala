package sightline

import java.io.{FileNotFoundException, IOException}
import java.nio.charset.StandardCharsets.UTF_8

import scala.util.{Try, Using}

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FSDataOutputStream, FileAlreadyExistsException, FileSystem, Path}

/**
 * File systems of object stores: they rename by copying each object, but create an object only if its
 * name is free, atomically.
 */
object ObjectStore {

  /** The file of an output that is written in place. It identifies the run; Spark skips `_` names. */
  val Marker = "_INCOMPLETE"

  private val Schemes = Set("gs", "s3a", "s3", "s3n")

  // A name of Hadoop 3.4.2: the file is created by a request with `If-None-Match: *`.
  private val Conditional = "fs.option.create.conditional.overwrite"

  def is(fs: FileSystem): Boolean = Schemes(fs.getUri.getScheme)

  /** Whether a path, fully qualified, is in an object store. */
  def contains(path: Path): Boolean = Schemes(String.valueOf(path.toUri.getScheme))

  /**
   * Spark's options for writing to the folder; none if it is not in an object store.
   *
   * Each task moves its files to the folder, which needs one copy of each file and not two. Spark writes
   * no `_SUCCESS`, because the output is complete only when Sightline writes it. A task commits only
   * while the run owns the output.
   *
   * @param folder fully qualified: an output or a folder in it
   */
  def writeOptions(folder: String, hadoop: Configuration): Map[String, String] = {
    val path = new Path(folder)
    if (!contains(path)) Map.empty
    else {
      val fs = path.getFileSystem(hadoop)
      val owner = Iterator
        .iterate(path)(_.getParent)
        .takeWhile(Option(_).isDefined)
        .map(new Path(_, Marker))
        // A folder above the output may be forbidden.
        .flatMap(marker =>
          Try(read(fs, marker)).toOption.flatten.map(FencedCommitter.options(marker, _))
        )
        .nextOption()
      owner.getOrElse(Map.empty) ++ Map(
        "mapreduce.fileoutputcommitter.algorithm.version" -> "2",
        "mapreduce.fileoutputcommitter.marksuccessfuljobs" -> "false",
      )
    }
  }

  /**
   * Checks that the bucket of a path that does not exist is there, for a better error.
   *
   * @throws SightlineException BUCKET_NOT_FOUND
   */
  def requireBucket(fs: FileSystem, path: Path): Unit = if (is(fs)) {
    val bucket = fs.makeQualified(new Path(fs.makeQualified(path), "/"))
    if (!fs.exists(bucket)) throw noBucket(bucket.toString.stripSuffix("/"))
  }

  def noBucket(bucket: String): SightlineException =
    SightlineException("BUCKET_NOT_FOUND", "reason" -> s"the bucket $bucket does not exist")

  /**
   * Creates a file if its name is free. If several writers create it at the same time, one succeeds.
   *
   * @param text the content, which differs from that of other writers
   * @return whether this call created the file
   */
  def create(fs: FileSystem, file: Path, text: String): Boolean =
    if (fs.exists(file)) false
    else {
      try {
        Using.resource(open(fs, file))(_.write(text.getBytes(UTF_8)))
        true
      } catch {
        case _: FileAlreadyExistsException => false
        // The store refused the request. Or its first answer was lost, and the connector asked again.
        case error: IOException =>
          Try(read(fs, file)).toOption.flatten.map(_ == text).getOrElse(throw error)
      }
    }

  private def open(fs: FileSystem, file: Path): FSDataOutputStream =
    if (fs.hasPathCapability(file, Conditional)) {
      fs.createFile(file).overwrite(true).recursive().must(Conditional, true).build()
    } else fs.create(file, false) // Google's connector asks for the generation 0.

  /** The text of a file; None if it does not exist. */
  def read(fs: FileSystem, file: Path): Option[String] =
    try Some(Using.resource(fs.open(file))(in => new String(in.readAllBytes(), UTF_8)))
    catch { case _: FileNotFoundException => None }
}
