package sightline

import java.nio.charset.StandardCharsets.UTF_8

import scala.util.Using
import scala.util.matching.Regex

import org.json4s.*
import org.json4s.jackson.JsonMethods

/**
 * A kind of error, from `error_conditions.json`.
 *
 * @param name the condition's name, such as `UNKNOWN_MODEL`
 * @param template the message, with `<parameters>`
 * @param sqlState five characters, one of the SQLSTATEs that Spark uses
 * @param exitStatus the exit status of a command: 1 if the run failed, 2 for wrong use
 */
final case class ErrorCondition(
    name: String,
    template: String,
    sqlState: String,
    exitStatus: Int,
) {

  /** The names of the parameters, in the order of the template. */
  def parameterNames: Seq[String] =
    ErrorCondition.Parameter.findAllMatchIn(template).map(_.group(1)).toSeq.distinct

  /**
   * The message with the values of its parameters.
   *
   * @throws IllegalArgumentException if `parameters` are not those of the template
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

/** The error conditions of the jar and the Python package, which share one file. */
object ErrorConditions {

  private val Resource = "sightline/error_conditions.json"

  /** All conditions by name. */
  lazy val all: Map[String, ErrorCondition] = {
    implicit val formats: Formats = DefaultFormats
    val text = Using.resource(getClass.getClassLoader.getResourceAsStream(Resource))(in =>
      new String(in.readAllBytes(), UTF_8)
    )
    JsonMethods.parse(text).extract[Map[String, Entry]].map { case (name, entry) =>
      name -> ErrorCondition(name, entry.message.mkString("\n"), entry.sqlState, entry.exitStatus)
    }
  }

  /** @throws NoSuchElementException if there is no such condition */
  def apply(name: String): ErrorCondition = all(name)

  final private case class Entry(message: Seq[String], sqlState: String, exitStatus: Int)
}
