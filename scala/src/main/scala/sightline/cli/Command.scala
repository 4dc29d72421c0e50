package sightline.cli

import java.time.Instant

import mainargs.ParserForClass
import org.apache.spark.sql.SparkSession

import sightline.SightlineException

/** One command of the application: its name, its help, and what it does. */
trait Command {
  def name: String
  def summary: String

  /** A call that works, without `spark-submit sightline.jar`. */
  def example: String

  /** All its options. */
  def options: String

  /** Checks the arguments; the run itself starts when the result is called. */
  def prepare(arguments: Seq[String]): Invocation => Unit

  def help: String =
    s"""$name: $summary
       |
       |Example
       |  spark-submit sightline.jar $name $example
       |
       |Options
       |$options""".stripMargin
}

/** @param arguments the words of the command line after the command's name */
final case class Invocation(spark: SparkSession, arguments: Seq[String], started: Instant)

object Command {

  // The parser's words for a value that cannot be read, which end in Java's.
  private val Unreadable =
    """(?s)Invalid argument (--[\w-]+) <(\w+)> failed to parse (?:"|')?(.*?)(?:"|')? due to .*""".r

  private val kinds = Map(
    "int" -> "a whole number",
    "long" -> "a whole number",
    "double" -> "a number",
    "bool" -> "true or false",
  )

  /**
   * The arguments as a value.
   *
   * @throws SightlineException WRONG_ARGUMENTS
   */
  def parse[A](parser: ParserForClass[A], command: Command, arguments: Seq[String]): A =
    parser.constructEither(arguments, autoPrintHelpAndExit = None) match {
      case Right(value) => value
      case Left(Unreadable(option, wanted, value)) =>
        throw SightlineException(
          "INVALID_OPTION",
          "option" -> option,
          "value" -> value,
          "reason" -> s"It must be ${kinds.getOrElse(wanted, s"of the kind $wanted")}.",
        )
      case Left(message) =>
        val why = message.linesIterator.takeWhile(!_.startsWith("Expected Signature")).mkString(" ")
        throw SightlineException(
          "WRONG_ARGUMENTS",
          "subject" -> command.name,
          "reason" -> s"${why.trim} See `spark-submit sightline.jar ${command.name} --help`.",
        )
    }

  /** The options' help, without the heading that the parser puts above it. */
  def options[A](parser: ParserForClass[A]): String =
    parser
      .helpText(totalWidth = 100, sorted = false)
      .linesIterator
      .dropWhile(!_.startsWith("  "))
      .mkString("\n")

  /** `value` if it is one of `known`. */
  def oneOf(option: String, value: String, known: Seq[String], condition: String): String =
    if (known.contains(value)) value
    else {
      throw SightlineException(condition, "option" -> option, "value" -> value, "known" -> known)
    }

  /** `value` if it is a share of a whole, 0 to 1. */
  def share(option: String, value: Double): Double =
    if (value >= 0 && value <= 1) value
    else {
      throw SightlineException(
        "INVALID_OPTION",
        "option" -> option,
        "value" -> value,
        "reason" -> "It must be between 0 and 1.",
      )
    }

  /** `value` if it says anything. */
  def nonEmpty(option: String, value: String): String =
    if (value.trim.nonEmpty) value
    else
      throw SightlineException(
        "INVALID_OPTION",
        "option" -> option,
        "value" -> value,
        "reason" -> "It must not be empty.",
      )

  /** `value` if it is at least `least`. */
  def atLeast[N](option: String, value: N, least: N)(implicit order: Ordering[N]): N =
    if (order.gteq(value, least)) value
    else {
      throw SightlineException(
        "INVALID_OPTION",
        "option" -> option,
        "value" -> value,
        "reason" -> s"It must be at least $least.",
      )
    }
}
