package sightline

import java.nio.charset.StandardCharsets.UTF_8

import scala.util.Using
import scala.util.matching.Regex

import org.json4s.*
import org.json4s.jackson.JsonMethods

/**
 * One kind of error, as `error_conditions.json` describes it.
 *
 * @param name in capitals, for programs: `UNKNOWN_MODEL`
 * @param template the message, with `<parameters>`
 * @param sqlState five characters, of those that Spark uses
 * @param exitStatus of a command: 1 when the run failed, 2 when it was asked for wrongly
 */
final case class ErrorCondition(
    name: String,
    template: String,
    sqlState: String,
    exitStatus: Int,
) {

  /** Names of the parameters, in the order of the template. */
  def parameterNames: Seq[String] =
    ErrorCondition.Parameter.findAllMatchIn(template).map(_.group(1)).toSeq.distinct

  /**
   * The message with its parameters filled in.
   *
   * @throws IllegalArgumentException when `parameters` are not those of the template
   */
  def message(parameters: Map[String, String]): String = {
    require(
      parameterNames.toSet == parameters.keySet,
      s"$name takes ${parameterNames.mkString(", ")}, not ${parameters.keys.mkString(", ")}",
    )
    ErrorCondition.Parameter.replaceAllIn(
      template,
      found => Regex.quoteReplacement(parameters(found.group(1))),
    )
  }
}

object ErrorCondition {
  private val Parameter = "<([a-zA-Z]+)>".r
}

/** Every kind of error that the jar and the Python package tell of, from one file for both. */
object ErrorConditions {

  private val Resource = "sightline/error_conditions.json"

  /** By name. */
  lazy val all: Map[String, ErrorCondition] = {
    implicit val formats: Formats = DefaultFormats
    val text = Using.resource(getClass.getClassLoader.getResourceAsStream(Resource))(in =>
      new String(in.readAllBytes(), UTF_8)
    )
    JsonMethods.parse(text).extract[Map[String, Entry]].map { case (name, entry) =>
      name -> ErrorCondition(name, entry.message.mkString("\n"), entry.sqlState, entry.exitStatus)
    }
  }

  /** @throws NoSuchElementException when the file has no such condition */
  def apply(name: String): ErrorCondition = all(name)

  final private case class Entry(message: Seq[String], sqlState: String, exitStatus: Int)
}
