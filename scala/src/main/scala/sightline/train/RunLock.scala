package sightline.train

import java.io.IOException
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.StandardCopyOption.{ATOMIC_MOVE, REPLACE_EXISTING}
import java.nio.file.{FileAlreadyExistsException, Files}
import java.time.Instant
import java.time.temporal.ChronoUnit.SECONDS
import java.util.UUID
import java.util.concurrent.{ConcurrentHashMap, TimeUnit}

import scala.util.{Try, Using}

import org.apache.hadoop.fs.{FileSystem, Path}
import org.apache.hadoop.util.ShutdownHookManager
import org.json4s.*
import org.json4s.jackson.JsonMethods

import sightline.report.{DaemonTimer, RunOwner}
import sightline.{ErrorTranslation, LocalFiles, ObjectStore, SightlineException}

/**
 * One process at a time may write a run of `train`: its owner file says which. Python's `train` writes
 * and reads the same file.
 *
 * The owner writes the file again every 30 seconds. The file of an owner that has ended is replaced: of
 * a process of this machine that is gone, or of one elsewhere that was silent for five minutes.
 *
 * @param folder the folder of the run, fully qualified
 */
final class RunLock(fs: FileSystem, folder: Path) {

  import RunLock.*

  private val file = new Path(folder, OwnerFile)
  // Held by the process that replaces the file of an owner that has ended, so that one process does.
  private val claim = new Path(folder, ClaimFile)

  /**
   * Runs `use` with the text of the owner file as the owner of the folder, which is removed afterwards
   * if it is empty.
   *
   * @throws SightlineException RUN_IN_USE, OUTPUT_NOT_WRITABLE
   */
  def apply[A](use: String => A): A = {
    val began = Some(Instant.now.truncatedTo(SECONDS).toString)
    val text = RunOwner.current.text(Some(UUID.randomUUID.toString), began)
    held.add(text) // first, so that no other run of this process takes the file for an old one
    try owning(text)(use(text))
    finally held.remove(text): Unit
  }

  private def owning[A](text: String)(use: => A): A = {
    try acquire(text)
    catch {
      case error: IOException =>
        throw SightlineException(
          "OUTPUT_NOT_WRITABLE",
          "path" -> LocalFiles.shown(folder),
          "reason" -> ErrorTranslation.firstLine(error),
        )
    }
    val timer = DaemonTimer.start("sightline-run-lock")
    val hook = new Thread(() => Try(release(text)): Unit)
    timer.scheduleAtFixedRate(
      () => Try(if (read(file) == text) write(file, text)): Unit,
      BeatSeconds,
      BeatSeconds,
      TimeUnit.SECONDS,
    ): Unit
    // Ctrl-C or SIGTERM. After Spark stops, before Hadoop closes its file systems.
    ShutdownHookManager.get.addShutdownHook(hook, FileSystem.SHUTDOWN_HOOK_PRIORITY + 10)
    try use
    finally {
      timer.shutdownNow(): Unit
      timer.awaitTermination(1, TimeUnit.MINUTES): Unit
      // A store that has gone must not hide the error of the run.
      Try(release(text)): Unit
      Try(ShutdownHookManager.get.removeShutdownHook(hook)): Unit
    }
  }

  private def release(text: String): Unit = {
    if (read(file) == text) fs.delete(file, false): Unit
    if (fs.exists(folder) && fs.listStatus(folder).isEmpty) fs.delete(folder, false): Unit
  }

  private def acquire(text: String): Unit = if (!create(file, text)) {
    val found = read(file)
    if (!hasEnded(file, found)) throw inUse(found)
    if (hasEnded(claim, read(claim))) fs.delete(claim, false): Unit
    if (!create(claim, text)) throw inUse(read(claim))
    try {
      // Another process may have replaced the file, and returned the claim, since it was read.
      if (read(file) != found) throw inUse(read(file))
      write(file, text)
      // Two processes may have removed the claim of a third that was killed.
      if (read(file) != text) throw inUse(read(file))
    } finally if (read(claim) == text) fs.delete(claim, false): Unit
  }

  /** Whether the owner in a file has ended; that of this process has if no run of it goes on. */
  private def hasEnded(of: Path, text: String): Boolean = {
    val owner = RunOwner.of(json(text))
    if (owner.contains(RunOwner.current)) !held.contains(text)
    else owner.flatMap(_.hasEnded).getOrElse(age(of) > SilentSeconds)
  }

  /** Seconds since the last beat; 0 for no file. */
  private def age(of: Path): Long =
    Try((System.currentTimeMillis - fs.getFileStatus(of).getModificationTime) / 1000)
      .fold(_ => 0L, math.max(0L, _))

  private def read(of: Path): String =
    Try(Using.resource(fs.open(of))(in => new String(in.readAllBytes(), UTF_8))).getOrElse("")

  // Hadoop's local file system creates files by two calls, and writes a checksum file beside them.
  private def create(of: Path, text: String): Boolean = LocalFiles.of(of) match {
    case None => ObjectStore.create(fs, of, text)
    case Some(local) =>
      Files.createDirectories(local.getParent)
      try {
        Files.createFile(local)
        // A failure, such as a full disk, leaves an empty file, which would name no owner.
        try Files.writeString(local, text)
        catch {
          case error: IOException =>
            Files.deleteIfExists(local): Unit
            throw error
        }
        true
      } catch { case _: FileAlreadyExistsException => false }
  }

  private def write(of: Path, text: String): Unit = LocalFiles.of(of) match {
    case None => Using.resource(fs.create(of, true))(_.write(text.getBytes(UTF_8)))
    case Some(local) =>
      // At once: after a failure, such as a full disk, the file has its old text.
      val next = local.resolveSibling(s"$OwnerFile.${ProcessHandle.current.pid}")
      Files.writeString(next, text)
      Files.move(next, local, ATOMIC_MOVE, REPLACE_EXISTING): Unit
  }

  private def inUse(text: String): SightlineException = SightlineException(
    "RUN_IN_USE",
    "owner" -> RunOwner.of(json(text)).fold("another process")(_.toString),
    "output" -> LocalFiles.shown(folder),
    "began" -> (json(text) \ "began" match {
      case JString(at) => at
      case _ => "an unknown time"
    }),
    "silent" -> SilentSeconds,
    "age" -> age(file),
    "file" -> LocalFiles.shown(file),
  )

  private def json(text: String): JValue = JsonMethods.parseOpt(text).getOrElse(JNothing)
}

object RunLock {

  /** In the folder of the run, while a process writes it. */
  val OwnerFile = "owner.json"

  val ClaimFile = "owner.json.next"

  /** Whether a file in the folder of a run is one of the lock's. */
  def isOwn(name: String): Boolean = name.startsWith(OwnerFile)

  private val BeatSeconds = 30L

  /** An owner on another machine counts as ended after this time without a beat. */
  private val SilentSeconds = 300L

  /** The owner texts of this process's runs: an earlier command of it may have left its file. */
  private val held = ConcurrentHashMap.newKeySet[String]()
}
