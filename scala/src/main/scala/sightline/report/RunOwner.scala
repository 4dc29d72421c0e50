package sightline.report

import java.net.InetAddress
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Paths}

import scala.util.{Try, Using}

import org.apache.hadoop.fs.{FileSystem, Path}
import org.json4s.*
import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods

/**
 * The process that writes an output. A file beside the output records it; Python writes and reads the
 * same file.
 *
 * @param host the name of the machine
 * @param namespace the namespace of process ids; None if the system has none
 * @param process the process id
 * @param started the start of the process in seconds since 1970; None if it is not known
 * @param boot the id of the machine's start, which differs between machines of one name; None on other
 *   systems than Linux
 */
final case class RunOwner(
    host: String,
    namespace: Option[String],
    process: Long,
    started: Option[Double],
    boot: Option[String],
) {

  /**
   * Whether the process has ended; None if it runs on another machine or in another namespace, or if
   * this machine was started again.
   */
  def hasEnded: Option[Boolean] = {
    val here = RunOwner.current
    // Without the id, the file is from an earlier version.
    val isHere = host == here.host && namespace == here.namespace && boot.forall(here.boot.contains)
    Option.when(isHere) {
      RunOwner.startOf(process) match {
        case None => true
        // Another process may have the id now.
        case Some(now) => now.exists(at => started.exists(s => math.abs(s - at) > 2))
      }
    }
  }

  override def toString: String = s"process $process on $host"

  def write(fs: FileSystem, file: Path): Unit =
    Using.resource(fs.create(file, true))(_.write(text(None).getBytes(UTF_8)))

  /**
   * The content of the file.
   *
   * @param run distinguishes the runs of one process
   * @param began the start of the run, for messages
   */
  def text(run: Option[String], began: Option[String] = None): String = {
    val json = ("host" -> host) ~ ("namespace" -> namespace) ~ ("process" -> process) ~
      ("process_started" -> started) ~ ("run" -> run) ~ ("began" -> began) ~ ("boot" -> boot)
    JsonMethods.compact(json) + "\n"
  }
}

object RunOwner {

  /** This process. */
  lazy val current: RunOwner = {
    val process = ProcessHandle.current.pid
    RunOwner(
      Try(InetAddress.getLocalHost.getHostName).getOrElse("localhost"),
      Try(Files.readSymbolicLink(Paths.get("/proc/self/ns/pid")).toString).toOption,
      process,
      startOf(process).flatten,
      Try(Files.readString(Paths.get("/proc/sys/kernel/random/boot_id")).trim).toOption,
    )
  }

  /** The owner in a file; None if the file does not exist or cannot be read. */
  def read(fs: FileSystem, file: Path): Option[RunOwner] = of(RunRecord.read(file, fs.getConf))

  /** The owner in the content of a file; None for other content. */
  def of(json: JValue): Option[RunOwner] =
    Option((json \ "host", json \ "process")).collect { case (JString(host), JInt(process)) =>
      RunOwner(
        host,
        Option(json \ "namespace").collect { case JString(name) => name },
        process.toLong,
        Option(json \ "process_started").collect {
          case JDouble(seconds) => seconds
          case JInt(seconds) => seconds.toDouble
        },
        Option(json \ "boot").collect { case JString(id) => id },
      )
    }

  /** None if the process does not exist, else its start, if the system provides it. */
  private def startOf(process: Long): Option[Option[Double]] = {
    val handle = ProcessHandle.of(process)
    Option.when(handle.isPresent && handle.get.isAlive) {
      val at = handle.get.info.startInstant
      Option.when(at.isPresent)(at.get.toEpochMilli / 1000.0)
    }
  }
}
