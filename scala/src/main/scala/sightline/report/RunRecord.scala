package sightline.report

import java.nio.charset.StandardCharsets.UTF_8
import java.time.Instant
import java.time.temporal.ChronoUnit.SECONDS

import scala.util.{Try, Using}

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession
import org.json4s.*
import org.json4s.JsonDSL.*
import org.json4s.jackson.JsonMethods

import sightline.BuildInfo

/** The record of a run, `run.json`. */
object RunRecord {

  /** The record's path in a folder of data: Spark skips names that start with `_`. */
  val InDataFolder = "_run/run.json"

  /**
   * Creates a record.
   *
   * @param command `predict`, `evaluate`, …
   * @param started the start of the program
   * @param arguments the arguments of the command line
   * @param seconds the stages of the run and their wall-clock seconds
   * @param more fields that only this command has, such as model and counts
   */
  def apply(
      spark: SparkSession,
      command: String,
      started: Instant,
      arguments: Seq[String],
      seconds: Seq[(String, Double)],
      more: JObject,
  ): JObject =
    ("command" -> command) ~
      ("version" -> BuildInfo.version) ~
      ("started" -> started.truncatedTo(SECONDS).toString) ~
      ("seconds" -> JObject(seconds.map { case (stage, s) =>
        JField(stage, JDouble(BigDecimal(s).setScale(3, BigDecimal.RoundingMode.HALF_UP).toDouble))
      }.toList)) ~
      ("arguments" -> arguments) ~
      ("spark" ->
        ("version" -> spark.version) ~
        ("master" -> spark.sparkContext.master) ~
        ("application" -> spark.sparkContext.applicationId)) ~
      more

  /** The JSON value in a file; JNothing if the file does not exist or cannot be read. */
  def read(path: Path, hadoop: Configuration): JValue =
    Try {
      val json = Using.resource(path.getFileSystem(hadoop).open(path))(_.readAllBytes())
      JsonMethods.parse(new String(json, UTF_8))
    }.getOrElse(JNothing)

  /** Writes a JSON value to a file at any Hadoop URI. */
  def write(json: JValue, path: Path, hadoop: Configuration): Unit = {
    val out = path.getFileSystem(hadoop).create(path, true)
    try out.write((JsonMethods.pretty(json) + "\n").getBytes(UTF_8))
    finally out.close()
  }
}
