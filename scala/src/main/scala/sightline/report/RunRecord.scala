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

/** What a run was and did, as `run.json`. */
object RunRecord {

  /** Where a data folder keeps it: readers of the folder pass over names that start with `_`. */
  val InDataFolder = "_run/run.json"

  /**
   * @param command `predict`, `evaluate`, …
   * @param arguments as given on the command line
   * @param seconds stage to wall-clock seconds
   * @param more what only this command knows: model, counts
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

  /** What a run wrote as `path`; JNothing where there is none that can be read. */
  def read(path: Path, hadoop: Configuration): JValue =
    Try {
      val json = Using.resource(path.getFileSystem(hadoop).open(path))(_.readAllBytes())
      JsonMethods.parse(new String(json, UTF_8))
    }.getOrElse(JNothing)

  /** Writes a JSON text as `path`, at any Hadoop URI. */
  def write(json: JValue, path: Path, hadoop: Configuration): Unit = {
    val out = path.getFileSystem(hadoop).create(path, true)
    try out.write((JsonMethods.pretty(json) + "\n").getBytes(UTF_8))
    finally out.close()
  }
}
