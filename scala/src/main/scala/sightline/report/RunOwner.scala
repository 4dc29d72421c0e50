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
 * The process that writes an output, as a file beside it tells while it does. Python writes and
 * reads the same file.
 *
 * @param host name of the machine
 * @param namespace of processes, where the system has such: numbers mean nothing in another one
 * @param process its number
 * @param started when the process started, in seconds since 1970, where that is known
 */
final case class RunOwner(
    host: String,
    namespace: Option[String],
    process: Long,
    started: Option[Double],
) {

  /** Whether the process has ended; None when it ran where this one cannot look. */
  def hasEnded: Option[Boolean] = {
    val here = RunOwner.current
    Option.when(host == here.host && namespace == here.namespace) {
      RunOwner.startOf(process) match {
        case None => true
        // The number may belong to another process by now.
        case Some(now) => now.exists(at => started.exists(s => math.abs(s - at) > 2))
      }
    }
  }

  override def toString: String = s"process $process on $host"

  def write(fs: FileSystem, file: Path): Unit = {
    val json = ("host" -> host) ~ ("namespace" -> namespace) ~ ("process" -> process) ~
      ("process_started" -> started)
    Using.resource(fs.create(file, true)) {
      _.write((JsonMethods.compact(json) + "\n").getBytes(UTF_8))
    }
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
    )
  }

  /** What the file tells; None where there is none, or none that can be read. */
  def read(fs: FileSystem, file: Path): Option[RunOwner] = {
    val json = RunRecord.read(file, fs.getConf)
    Option((json \ "host", json \ "process")).collect { case (JString(host), JInt(process)) =>
      RunOwner(
        host,
        Option(json \ "namespace").collect { case JString(name) => name },
        process.toLong,
        Option(json \ "process_started").collect {
          case JDouble(seconds) => seconds
          case JInt(seconds) => seconds.toDouble
        },
      )
    }
  }

  /** None for a process that is not there, else when it started, if the system says so. */
  private def startOf(process: Long): Option[Option[Double]] = {
    val handle = ProcessHandle.of(process)
    Option.when(handle.isPresent && handle.get.isAlive) {
      val at = handle.get.info.startInstant
      Option.when(at.isPresent)(at.get.toEpochMilli / 1000.0)
    }
  }
}
